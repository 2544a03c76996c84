import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Testing

/// Towers with every field there is, and the loss of two views of an item, against PyTorch: Resources/losses.py.
struct WideTowerTests {
    struct Golden: Decodable {
        struct Wide: Decodable {
            var inputs: Inputs
            var hidden: [[[String]]]
            var parameters: [String: [Float]]
            var listwise: TwoTowerLossTests.Golden.Loss
            var selfSupervised: TwoTowerLossTests.Golden.Loss
        }

        struct Inputs: Decodable {
            var recentAuthors: [[UInt32]]
            var recentTags: [[UInt32]]
            var likedItems: [[UInt32]]
            var activities: [UInt32]
            var cities: [UInt32]
            var tags: [[UInt32]]
            var qualities: [Float]
            var durationBuckets: [UInt32]
            var ageBuckets: [UInt32]
            var qualityBuckets: [UInt32]
        }

        var wide: Wide
    }

    private let narrow: TwoTowerLossTests.Golden
    private let wide: Golden.Wide

    init() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/losses.json")
        let json = try Data(contentsOf: url)
        narrow = try JSONDecoder().decode(TwoTowerLossTests.Golden.self, from: json)
        wide = try JSONDecoder().decode(Golden.self, from: json).wide
    }

    private func ragged(_ lists: [[UInt32]]) -> RaggedRows {
        lists.reduce(into: RaggedRows()) { $0.append($1) }
    }

    private var users: UserInputs {
        let plain = narrow.users
        return UserInputs(
            users: plain.users, profile: plain.profile, surfaces: plain.surfaces, hours: plain.hours,
            weekdays: plain.weekdays, recentItems: plain.recentItems, recentCategories: plain.recentCategories,
            numeric: plain.numeric, recentAuthors: ragged(wide.inputs.recentAuthors),
            recentTags: ragged(wide.inputs.recentTags), likedItems: ragged(wide.inputs.likedItems),
            activities: wide.inputs.activities)
    }

    private var items: ItemInputs {
        let plain = narrow.items
        return ItemInputs(
            items: plain.items, categories: plain.categories, authors: plain.authors, durations: plain.durations,
            ages: plain.ages, cities: wide.inputs.cities, tags: ragged(wide.inputs.tags),
            qualities: wide.inputs.qualities, durationBuckets: wide.inputs.durationBuckets,
            ageBuckets: wide.inputs.ageBuckets, qualityBuckets: wide.inputs.qualityBuckets)
    }

    private func model(in parameters: ParameterSet) throws -> TwoTowerModel {
        var specification = TwoTowerSpecification()
        specification.user.fields = [
            .user, .profile, .recentItems, .recentCategories, .recentAuthors, .recentTags, .likedItems, .activity,
        ]
        specification.item.fields = [
            .item, .category, .author, .city, .tags, .durationBucket, .ageBucket, .qualityBucket,
        ]
        specification.item.numeric = [.duration, .age, .quality]
        specification.user.layers = [6, 4]
        specification.item.layers = [5, 4]
        specification.embeddings = EmbeddingWidths(user: 3, item: 4, category: 2, author: 3, small: 2)
        specification.temperature = narrow.temperature
        specification.training.selfSupervised.temperature = narrow.temperature
        let sizes = TableSizes(
            users: 3, items: 7, profile: [3, 4], surfaces: 1, categories: 3, authors: 4, cities: 3, tags: 5)
        let model = try TwoTowerModel(specification, sizes: sizes, in: parameters)
        #expect(Set(parameters.all.map(\.name)) == Set(wide.parameters.keys))
        for parameter in parameters.all { parameter.assign(try #require(wide.parameters[parameter.name])) }
        return model
    }

    private func compare(
        _ loss: Tensor, on tape: Tape, _ parameters: ParameterSet, _ expected: TwoTowerLossTests.Golden.Loss
    ) throws {
        #expect(abs(loss[0, 0] - expected.loss) < 1e-5)
        tape.backward(from: loss)
        let found =
            parameters.matrices.map { ($0.name, $0.gradientArray) }
            + parameters.tables.map { ($0.name, $0.gradientArray) }
        for (name, gradient) in found {
            guard let expected = expected.gradients[name] else {
                #expect(gradient.allSatisfy { $0 == 0 }, "\(name) has a gradient")
                continue
            }
            let error = zip(gradient, expected).map { abs($0 - $1) }.max() ?? 0
            #expect(gradient.count == expected.count && error < 1e-5, "\(name) is off by \(error)")
        }
        #expect(!expected.gradients.isEmpty)
    }

    @Test func everyField() throws {
        let parameters = ParameterSet(seed: 1)
        let model = try model(in: parameters)
        let tape = Tape(seed: 1)
        let batch = TwoTowerBatch(
            users: users, items: items, shared: items.count - users.count,
            logProbabilities: narrow.logProbabilities)
        try compare(model.loss(batch, on: tape), on: tape, parameters, wide.listwise)
    }

    @Test func twoViewsOfAnItem() throws {
        let parameters = ParameterSet(seed: 1)
        let model = try model(in: parameters)
        let names = Dictionary(uniqueKeysWithValues: ItemAttribute.allCases.map { ("\($0)", $0) })
        let hidden = try wide.hidden.map { view in
            try view.map { ItemAttributes(try $0.map { try #require(names[$0]) }) }
        }
        let tape = Tape(seed: 1)
        let loss = model.selfSupervisedLoss(
            items.hiding(hidden[0]), items.hiding(hidden[1]), identities: narrow.inputs.items, on: tape)
        try compare(loss, on: tape, parameters, wide.selfSupervised)
    }

    /// What a state and an item become, by hand.
    @Test func widenedInputs() throws {
        let log = SmallWorld.dataset()
        var table = log.items
        table.cities = SharedBuffer(table.keys.indices.map { [0, 77, 5][$0 % 3] })
        table.qualities = SharedBuffer(table.keys.indices.map { [.nan, 0.999, 0.25][$0 % 3] })
        table.tags = ItemTags(
            names: StringTable(["", "new", "old"]),
            offsets: SharedBuffer(table.keys.indices.map { UInt64(2 * (($0 + 2) / 3)) } + [20]),
            rows: SharedBuffer((0..<10).flatMap { _ in [UInt32(1), 2] }))
        let columns = ItemFeatureColumns(table)
        #expect(columns.cityCount == 3)
        var inputs = ItemInputs()
        // Items 0 and 1: 0 and 20 seconds long; city unknown, then the greater of two keys; item 0 has both tags.
        inputs.append(row: 0, age: FeatureEncoder.age(published: 1, now: 1), columns: columns)
        inputs.append(row: 1, age: FeatureEncoder.age(published: 0, now: 0), columns: columns)
        inputs.append(row: 2, age: 10, columns: columns)
        #expect(inputs.cities == [0, 2, 1])
        #expect(inputs.tags.rows == [1, 2] && inputs.tags.offsets == [0, 2, 2, 2])
        #expect(inputs.qualities[0] == 0 && inputs.qualities[2] == -0.5)
        #expect(inputs.qualityBuckets == [0, 10, 3])
        // ln 21 = 3.04, at half a unit a bucket: 1 + 6; ln 41 = 3.71: 1 + 7; unknown ages are three weeks, ln 22 = 3.09.
        #expect(inputs.durationBuckets == [0, 7, 8])
        #expect(inputs.ageBuckets == [1, 7, 15])
        let encoder = FeatureEncoder(
            columns: columns, itemIndex: KeyIndex(table.keys), userIndex: KeyIndex(log.users.keys),
            description: FeatureDescription(
                priors: RatePriors(exposures: log.exposures, rows: 0..<600, userCount: 12, columns: columns),
                profileSizes: [3], surfaceCount: 2),
            recentItems: 2, lists: [.recentAuthors, .recentTags, .likedItems])
        var state = UserState(user: log.users.keys[0], isKnown: true, profile: [1])
        for (item, actions) in [(3, Actions.like), (4, [.click, .like]), (5, .click), (6, [.click, .share])] {
            state.record(
                Interaction(
                    item: table.keys[item], timeMilliseconds: Int64(item), actions: actions.union(.impression)))
        }
        var moments = UserInputs()
        moments.append(state, Scene(timeMilliseconds: 9), encoder: encoder)
        #expect(moments.recentItems.rows == [7, 6])
        #expect(moments.recentAuthors.rows == [columns.authors[6], columns.authors[5]])
        #expect(moments.recentTags.rows == [1, 2], "item 6 has tags, item 5 none")
        #expect(moments.likedItems.rows == [7, 5], "the two newest of three")
        #expect(moments.activities == [4], "ln 5 = 1.6: 1 + 3")
    }
}
