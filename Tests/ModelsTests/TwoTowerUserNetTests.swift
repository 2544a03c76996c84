import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Testing

/// The served user vector against the training graph, over the component a trainer writes.
struct TwoTowerUserNetTests {
    private let dataset = SmallWorld.dataset()
    private let model: TwoTowerModel
    private let encoder: FeatureEncoder
    private let net: TwoTowerUserNet

    init() throws {
        let columns = ItemFeatureColumns(dataset.items)
        let sizes = TableSizes(users: dataset.users, items: dataset.items, columns: columns, surfaceCount: 2)
        let features = FeatureDescription(
            priors: RatePriors(
                exposures: dataset.exposures, rows: 0..<dataset.exposures.count, userCount: dataset.users.count,
                columns: columns),
            profileSizes: sizes.profile, surfaceCount: 2)
        var specification = TwoTowerSpecification()
        specification.dimension = 24
        specification.recentItems = 6
        let parameters = ParameterSet(seed: 4)
        model = try TwoTowerModel(specification, sizes: sizes, in: parameters)
        // Ids start at zero: give every parameter values that matter.
        var generator = SeededGenerator(seed: 8)
        for parameter in parameters.all {
            let fresh = parameter.array.map { $0 + 0.3 * Float(generator.normal()) }
            parameter.assign(fresh)
        }
        encoder = FeatureEncoder(
            columns: columns, itemIndex: KeyIndex(dataset.items.keys), userIndex: KeyIndex(dataset.users.keys),
            description: features, recentItems: specification.recentItems)
        let url = FileManager.default.temporaryDirectory.appending(path: "two-tower-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try ModelComponents.twoTower(
            ModelDescription(specification: specification, features: features, sizes: sizes), parameters: parameters,
            users: dataset.users
        ).write(to: url.path())
        net = try TwoTowerUserNet(SafetensorsFile(path: url.path()), items: dataset.items)
    }

    @Test func servedVectorsAreTheTrainingGraphs() {
        var replay = Replay(dataset: dataset, encoder: encoder)
        replay.advance(to: dataset.exposures.count)
        var states = replay.states
        // One user the model does not know, one of whom nothing is known.
        states.append(UserState(user: UserKey(rawValue: 4_000), isKnown: true, profile: [1], recent: states[0].recent))
        states.append(UserState(user: UserKey(rawValue: 4_001), isKnown: false, profile: []))
        var inputs = UserInputs()
        for state in states { inputs.append(state, Scene(timeMilliseconds: 0), encoder: encoder) }
        let expected = model.users(inputs, in: Tape(seed: 1)).array
        var distinct: Set<[Float]> = []
        for (place, state) in states.enumerated() {
            let vector = Array(net.vector(of: state))
            #expect(vector.count == 24 && net.dimension == 24)
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
            let error = zip(vector, expected[place * 24..<(place + 1) * 24]).map { abs($0 - $1) }.max() ?? 1
            #expect(error < 1e-5, "user \(state.user.rawValue) is off by \(error)")
            distinct.insert(vector)
        }
        #expect(distinct.count == states.count)
    }

    @Test func aClickMovesTheVector() {
        var state = UserState(user: UserKey(rawValue: 1), isKnown: true, profile: [1])
        let before = net.vector(of: state)
        state.record(Interaction(item: dataset.items.keys[3], timeMilliseconds: 5, actions: [.impression]))
        #expect(net.vector(of: state) == before)
        state.record(Interaction(item: dataset.items.keys[3], timeMilliseconds: 6, actions: [.click]))
        #expect(net.vector(of: state) != before)
    }
}
