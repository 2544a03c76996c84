import Blobs
import Catalog
import Foundation
import Kernels
import Models
import Recall
import Testing
import VectorIndex

/// Alternating least squares against NumPy (make_golden.py).
@Suite struct MatrixCompletionTests {
    private let golden: CooccurrenceGolden
    private let file: SafetensorsFile
    private let parameters: SharedBuffer<Float>

    init() throws {
        golden = try CooccurrenceGolden()
        file = try SafetensorsFile(
            path: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("golden/als.safetensors").path)
        parameters = try file.buffer("parameters", as: Float.self)
    }

    private func specification(_ loss: CompletionLoss) -> MatrixCompletionSpecification {
        var specification = MatrixCompletionSpecification()
        specification.loss = loss
        specification.factors = Int(parameters[0])
        specification.alpha = parameters[1]
        specification.regularization = parameters[2]
        specification.iterations = Int(parameters[3])
        specification.historyMax = golden.historyMax
        return specification
    }

    private func factors(_ name: String) throws -> SharedBuffer<Float> {
        try file.buffer(name, as: Float.self, shape: [nil, Int(parameters[0])])
    }

    /// To within float32: the reference computes in double.
    private func expectClose(
        _ found: some Collection<Float>, _ expected: some Collection<Float>, _ name: Comment,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found.count == expected.count, name, sourceLocation: sourceLocation)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 2e-4 }, name, sourceLocation: sourceLocation)
    }

    @Test(arguments: CompletionLoss.allCases, ["exact", "steps"])
    func factorsAreThoseOfDenseSolvers(loss: CompletionLoss, kind: String) throws {
        var specification = specification(loss)
        // Eight steps solve eight equations; rounding asks for some more.
        specification.cgSteps = kind == "steps" ? 3 : 20
        let matrix = InterestMatrix(
            golden.dataset, until: golden.until, historyMax: golden.historyMax,
            observed: loss == .implicit ? .liked : .shown)
        let start = "\(loss.rawValue).folded.items"
        var fit = MatrixFit(
            MatrixCompletion(specification, threads: 2), matrix, users: Array(try factors("users")),
            items: Array(try factors(start)))
        for _ in 0..<specification.iterations { fit.iterate() }
        let name = "\(loss.rawValue).\(kind)"
        expectClose(fit.users, try factors("\(name).users"), "users")
        expectClose(fit.items, try factors("\(name).items"), "items")
        let expected = try file.buffer("\(name).loss", as: Double.self)[0]
        #expect(abs(fit.loss() - expected) < 1e-5 * expected)
    }

    @Test(arguments: CompletionLoss.allCases)
    func usersAreFoldedInAsByADenseSolver(loss: CompletionLoss) throws {
        let width = Int(parameters[0])
        let encoder = try MatrixCompletionEncoder(component: component(loss))
        let expected = try factors("\(loss.rawValue).folded")
        for state in states(golden.dataset, until: golden.until) where state.recent.count <= golden.historyMax {
            let vector = encoder.input(for: RecallUser(state: state, timeMilliseconds: 0)).vector
            let row = Int(state.user.rawValue)
            if vector.isEmpty { continue }
            expectClose(vector, expected[shared: row * width..<(row + 1) * width], "user \(row)")
        }
    }

    /// The component that a fit with the given items would make.
    private func component(
        _ loss: CompletionLoss, _ adjust: (inout [String: String]) -> Void = { _ in }
    ) throws
        -> SafetensorsFile
    {
        let width = Int(parameters[0])
        let items = try factors("\(loss.rawValue).folded.items")
        var gram = [Float](repeating: 0, count: width * width)
        for place in gram.indices {
            gram[place] = (0..<items.count / width).reduce(0) {
                $0 + items[$1 * width + place / width] * items[$1 * width + place % width]
            }
        }
        var metadata = [
            "loss": loss.rawValue, "alpha": String(parameters[1]), "regularization": String(parameters[2]),
        ]
        adjust(&metadata)
        var writer = SafetensorsWriter(metadata: metadata)
        writer.add("item_key", golden.dataset.items.keys.map(\.rawValue))
        writer.add("factors", Array(items), shape: [items.count / width, width])
        writer.add("gram", gram, shape: [width, width])
        return try mapped(writer)
    }

    @Test func anEventChangesTheNextVector() throws {
        let encoder = try MatrixCompletionEncoder(component: component(.implicit))
        var state = UserState(user: UserKey(rawValue: 1_000), isKnown: false, profile: [])
        func vector() -> SharedBuffer<Float> {
            encoder.input(for: RecallUser(state: state, timeMilliseconds: 0)).vector
        }
        #expect(vector().isEmpty)
        state.record(Interaction(item: ItemKey(rawValue: 3), timeMilliseconds: 1, actions: .click))
        let first = vector()
        #expect(first.count == 8)
        state.record(Interaction(item: ItemKey(rawValue: 4), timeMilliseconds: 2, actions: .click))
        let second = vector()
        #expect(second.count == 8 && second != first)
        // Neither what is unknown to the matrix nor what is no like counts.
        state.record(Interaction(item: ItemKey(rawValue: 999), timeMilliseconds: 3, actions: .click))
        state.record(Interaction(item: ItemKey(rawValue: 5), timeMilliseconds: 4, actions: .finish))
        #expect(vector() == second)
    }

    @Test func threadsChangeNothingAndSeedsDo() {
        func build(threads: Int, seed: UInt64) -> CompletedMatrix {
            MatrixCompletion(specification(.implicit), seed: seed, threads: threads)
                .build(golden.dataset, until: golden.until)
        }
        let one = build(threads: 1, seed: 3)
        #expect(build(threads: 3, seed: 3).itemFactors == one.itemFactors)
        #expect(build(threads: 1, seed: 4).itemFactors != one.itemFactors)
    }

    @Test func itemsNobodyLikesHaveNoVector() throws {
        let dataset = world(
            users: 2, items: 3,
            [
                Showing(user: 0, item: 0, time: 1, actions: .click), Showing(user: 1, item: 2, time: 2, actions: .like),
                Showing(user: 1, item: 1, time: 3, actions: .impression),
            ])
        var specification = specification(.implicit)
        #expect(MatrixCompletion(specification).build(dataset).knownItems == [0, 2])
        let matrix = MatrixCompletion(specification).build(dataset)
        let file = try mapped(matrix.component())
        #expect(try Array(file.buffer("item_key", as: UInt64.self)) == [1, 3])
        // To the explicit loss what was shown and not liked is observed too.
        specification.loss = .explicit
        #expect(MatrixCompletion(specification).build(dataset).knownItems == [0, 1, 2])
    }

    @Test func nothingLikedGivesNothing() throws {
        let matrix = MatrixCompletion(specification(.implicit)).build(world(users: 0, items: 0, []))
        let encoder = try MatrixCompletionEncoder(component: mapped(matrix.component()))
        let state = UserState(user: UserKey(rawValue: 1), isKnown: false, profile: [])
        #expect(encoder.input(for: RecallUser(state: state, timeMilliseconds: 0)) == ChannelInput())
        #expect(matrix.loss == 0)
    }

    @Test(arguments: [
        ("loss", "squared"), ("alpha", "-1"), ("alpha", "nan"), ("regularization", "inf"), ("regularization", ""),
    ])
    func hostileMetadataIsRefused(key: String, value: String) throws {
        let file = try component(.implicit) { $0[key] = value }
        let error = #expect(throws: BlobError.self) { try MatrixCompletionEncoder(component: file) }
        #expect(error?.message.contains(file.path) == true)
    }

    @Test(arguments: ["factors", "gram", "item_key"])
    func hostileTensorsAreRefused(name: String) throws {
        var writer = SafetensorsWriter(metadata: ["loss": "implicit", "alpha": "1", "regularization": "1"])
        writer.add("item_key", name == "item_key" ? [UInt64(1)] : [1, 2])
        writer.add("factors", name == "factors" ? [1, 2, .nan, 4] : [1, 2, 3, 4] as [Float], shape: [2, 2])
        writer.add("gram", name == "gram" ? [1, .infinity, 0, 1] : [1, 0, 0, 1] as [Float], shape: [2, 2])
        let file = try mapped(writer)
        let error = #expect(throws: BlobError.self) { try MatrixCompletionEncoder(component: file) }
        #expect(error?.message.contains(file.path) == true)
    }
}
