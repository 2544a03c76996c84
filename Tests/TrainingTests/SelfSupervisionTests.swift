import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Testing
import Training

/// Mutual information of a catalogue, and the views of items that hide attributes by it.
struct SelfSupervisionTests {
    private struct Golden: Decodable {
        var categories: [UInt32]
        var authors: [UInt64]
        var cities: [UInt64]
        var tags: [[UInt32]]
        var information: [[Double]]
    }

    private static let attributes: [ItemAttribute] = [.category, .author, .city, .tags]
    private let golden: Golden
    private let columns: ItemFeatureColumns

    init() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/information.json")
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
        let count = golden.categories.count
        let names = (0..<count).map(String.init)
        var offsets: [UInt64] = [0]
        for tags in golden.tags { offsets.append(offsets[offsets.count - 1] + UInt64(tags.count)) }
        columns = ItemFeatureColumns(
            ItemTable(
                keys: SharedBuffer((0..<count).map { ItemKey(rawValue: UInt64($0 + 1)) }),
                publicIDs: StringTable(names), titles: StringTable(names),
                categories: SharedBuffer(golden.categories), categoryNames: StringTable(["", "a", "b", "c"]),
                authors: SharedBuffer(golden.authors), publishTimes: SharedBuffer(names.map { _ in 0 }),
                durations: SharedBuffer(names.map { _ in 0 }), cities: SharedBuffer(golden.cities),
                tags: ItemTags(
                    names: StringTable(["", "p", "q", "r", "s", "t"]), offsets: SharedBuffer(offsets),
                    rows: SharedBuffer(golden.tags.flatMap { $0 }))))
    }

    @Test func informationIsThatOfTheDefinition() {
        let information = MutualInformation(columns, attributes: Self.attributes, now: 0)
        for (first, row) in golden.information.enumerated() {
            for (second, expected) in row.enumerated() {
                #expect(abs(information[first, second] - expected) < 1e-8, "\(first), \(second)")
            }
        }
        let others = golden.information[0].enumerated().dropFirst().sorted { $0.element > $1.element }
        #expect(information.related(to: 0) == others.map(\.offset))
    }

    /// All items, each twice, as two views of a transform.
    private func views(_ kind: ItemTransformKind) -> [(plain: [Bool], first: [Bool], second: [Bool], row: Int)] {
        let transform = ItemTransform(
            kind, attributes: Self.attributes,
            information: MutualInformation(columns, attributes: Self.attributes, now: 0))
        var inputs = ItemInputs()
        for row in 0..<columns.count { inputs.append(row: UInt32(row), age: 0, columns: columns) }
        var generator = SeededGenerator(seed: 5)
        let (first, second) = transform.views(of: inputs, using: &generator)
        return (0..<columns.count).map { (known(inputs, $0), known(first, $0), known(second, $0), $0) }
    }

    /// Whether category, author, city and tags are known.
    private func known(_ inputs: ItemInputs, _ row: Int) -> [Bool] {
        [
            inputs.categories[row] != 0, inputs.authors[row] != 0, inputs.cities[row] != 0,
            inputs.tags.offsets[row] < inputs.tags.offsets[row + 1],
        ]
    }

    @Test func complementaryViewsShareNothing() {
        for view in views(.complementary) {
            for place in 0..<4 where view.plain[place] { #expect(view.first[place] != view.second[place]) }
        }
    }

    /// Of an item of which all is known one attribute stays: the seed and the two most related to it are hidden.
    @Test func mutualInformationHidesWhatIsRelated() {
        let information = MutualInformation(columns, attributes: Self.attributes, now: 0)
        let allowed = (0..<4).map { Set([$0] + information.related(to: $0).prefix(2)) }
        var seen: Set<Set<Int>> = []
        for view in views(.mutualInformation) where view.plain == [true, true, true, true] {
            for known in [view.first, view.second] {
                let hidden = Set((0..<4).filter { !known[$0] })
                #expect(allowed.contains(hidden), "\(hidden)")
                seen.insert(hidden)
            }
        }
        #expect(seen == Set(allowed))
    }

    @Test func randomMasksHideHalfAndNeverAll() {
        let full = views(.randomMask).filter { $0.plain == [true, true, true, true] }
        #expect(full.count > 10)
        let known = full.flatMap { $0.first + $0.second }
        #expect(full.allSatisfy { $0.first.contains(true) && $0.second.contains(true) })
        let share = Double(known.count { $0 }) / Double(known.count)
        #expect((0.4...0.68).contains(share), "\(share)")
    }

    @Test func dropoutHalvesTags() {
        let transform = ItemTransform(.dropout, attributes: Self.attributes, information: nil)
        var inputs = ItemInputs()
        for row in 0..<columns.count { inputs.append(row: UInt32(row), age: 0, columns: columns) }
        var generator = SeededGenerator(seed: 5)
        let (first, second) = transform.views(of: inputs, using: &generator)
        var differing = 0
        for row in 0..<columns.count {
            let own = columns.tags(of: row)
            let (one, other) = (tags(first, row), tags(second, row))
            #expect(one.count == own.count - own.count / 2 && other.count == one.count)
            #expect(one.isSubset(of: own) && other.isSubset(of: own))
            differing += one == other ? 0 : 1
        }
        #expect(differing > 5 && first.categories == inputs.categories)
    }

    private func tags(_ inputs: ItemInputs, _ row: Int) -> Set<UInt32> {
        Set(inputs.tags.rows[inputs.tags.offsets[row]..<inputs.tags.offsets[row + 1]])
    }

    /// A transform that has nothing to hide is refused by name.
    @Test func whatCannotBeHiddenIsRefused() {
        var specification = TwoTowerSpecification()
        specification.training.selfSupervised.alpha = 0.1
        specification.training.selfSupervised.transform = .dropout
        let error = #expect(throws: ModelError.self) { try specification.validate() }
        #expect(error?.message.hasPrefix("twoTower.training.selfSupervised.transform: dropout needs tags") == true)
        specification.item.fields.append(.tags)
        #expect(throws: Never.self) { try specification.validate() }
    }
}
