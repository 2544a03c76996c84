import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Testing

/// The served paths and vector against the training graph, over the component a trainer writes.
struct DeepRetrievalUserNetTests {
    private let dataset = SmallWorld.dataset()
    private let model: DeepRetrievalModel
    private let encoder: FeatureEncoder
    private let sizes: TableSizes
    private let parameters = ParameterSet(seed: 4)

    init() throws {
        let columns = ItemFeatureColumns(dataset.items)
        sizes = TableSizes(users: dataset.users, items: dataset.items, columns: columns, surfaceCount: 2)
        var specification = DeepRetrievalSpecification()
        specification.nodes = 6
        specification.beam = 36
        specification.recentItems = 6
        model = try DeepRetrievalModel(specification, sizes: sizes, in: parameters)
        // Ids start next to zero: give every parameter values that matter.
        var generator = SeededGenerator(seed: 8)
        for parameter in parameters.all {
            parameter.assign(parameter.array.map { $0 + 0.3 * Float(generator.normal()) })
        }
        encoder = FeatureEncoder(
            columns: columns, itemIndex: KeyIndex(dataset.items.keys), userIndex: KeyIndex(dataset.users.keys),
            description: FeatureDescription(
                priors: RatePriors(
                    exposures: dataset.exposures, rows: 0..<dataset.exposures.count, userCount: dataset.users.count,
                    columns: columns),
                profileSizes: sizes.profile, surfaceCount: 2), recentItems: specification.recentItems)
    }

    private func net(_ adjust: (inout DeepRetrievalSpecification) -> Void = { _ in }) throws -> DeepRetrievalUserNet {
        let url = FileManager.default.temporaryDirectory.appending(path: "deep-retrieval-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        var specification = model.specification
        adjust(&specification)
        try ModelComponents.deepRetrieval(
            ModelDescription(specification: specification, features: encoder.description, sizes: sizes),
            parameters: parameters, users: dataset.users
        ).write(to: url.path())
        return try DeepRetrievalUserNet(SafetensorsFile(path: url.path()), items: dataset.items)
    }

    @Test func whatIsServedIsWhatTrainingComputes() throws {
        let net = try net()
        var replay = Replay(dataset: dataset, encoder: encoder)
        replay.advance(to: dataset.exposures.count)
        var states = replay.states
        // One user the model does not know, one of whom nothing is known.
        states.append(UserState(user: UserKey(rawValue: 4_000), isKnown: true, profile: [1], recent: states[0].recent))
        states.append(UserState(user: UserKey(rawValue: 4_001), isKnown: false, profile: []))
        var inputs = UserInputs()
        for state in states { inputs.append(state, Scene(timeMilliseconds: 0), encoder: encoder) }
        let tape = Tape(seed: 1)
        let x = model.users(inputs, in: tape)
        let expected = model.beams(x, width: 36, in: tape)
        let vectors = tape.normalizeRows(x).array
        for (place, state) in states.enumerated() {
            let query = net.query(state)
            let range = place * 36..<(place + 1) * 36
            #expect(query.paths.map { UInt32($0) } == Array(expected.paths[range]))
            #expect(
                zip(query.logProbabilities, expected.logProbabilities[range]).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(zip(query.logProbabilities, query.logProbabilities.dropFirst()).allSatisfy { $0 >= $1 })
            #expect(zip(query.vector, vectors[place * 64..<(place + 1) * 64]).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func aClickMovesThePaths() throws {
        let net = try net()
        var state = UserState(user: UserKey(rawValue: 1), isKnown: true, profile: [1])
        let before = net.query(state)
        #expect(before.paths.count == 36 && Set(before.paths).count == 36)
        state.record(Interaction(item: dataset.items.keys[3], timeMilliseconds: 5, actions: [.impression]))
        #expect(net.query(state).logProbabilities == before.logProbabilities)
        state.record(Interaction(item: dataset.items.keys[3], timeMilliseconds: 6, actions: [.click]))
        #expect(net.query(state).logProbabilities != before.logProbabilities)
    }

    @Test func componentsThatContradictThemselvesAreRefused() throws {
        let faults: [(inout DeepRetrievalSpecification) -> Void] = [
            { $0.nodes = 7 }, { $0.nodes = 0 }, { $0.depth = -1 }, { $0.depth = 4 }, { $0.beam = 0 },
            { $0.hidden = 63 },
            { $0.user.layers = [] }, { $0.user.layers = [8, 64] }, { $0.item.layers = [32] }, { $0.nodeWidth = 0 },
            { $0.recentItems = 0 }, { $0.temperature = .zero }, { ($0.nodes, $0.depth) = (4_096, 3) },
        ]
        for (place, fault) in faults.enumerated() {
            #expect(throws: (any Error).self, "fault \(place)") { try net(fault) }
        }
    }
}
