import Features
import Foundation
import Models
import Networks
import Testing

/// Losses and gradients of whole models against PyTorch: Resources/models.py.
struct ModelGradientTests {
    struct Golden: Decodable {
        var inputs: Inputs
        var twoTower: TwoTower
        var threeTower: ThreeTower
    }

    struct Inputs: Decodable {
        var users: [UInt32]
        var profile: [[UInt32]]
        var surfaces: [UInt32]
        var hours: [UInt32]
        var weekdays: [UInt32]
        var numeric: [[Float]]
        var recentItems: [[UInt32]]
        var recentCategories: [[UInt32]]
        var items: [UInt32]
        var categories: [UInt32]
        var authors: [UInt32]
        var durations: [Float]
        var ages: [Float]

        var userInputs: UserInputs {
            UserInputs(
                users: users, profile: profile.flatMap { $0 }, surfaces: surfaces, hours: hours, weekdays: weekdays,
                recentItems: ragged(recentItems), recentCategories: ragged(recentCategories),
                numeric: numeric.flatMap { $0 })
        }

        var itemInputs: ItemInputs {
            ItemInputs(items: items, categories: categories, authors: authors, durations: durations, ages: ages)
        }

        private func ragged(_ lists: [[UInt32]]) -> RaggedRows {
            lists.reduce(into: RaggedRows()) { $0.append($1) }
        }
    }

    struct TwoTower: Decodable {
        var loss: Float
        var logProbabilities: [Float]
        var parameters: [String: [Float]]
        var gradients: [String: [Float]]
    }

    struct ThreeTower: Decodable {
        var loss: Float
        var clickLoss: Float
        var features: [Float]
        var clicks: [Bool]
        var seconds: [Float]
        var clickLogits: [Float]
        var watchLogits: [Float]
        var parameters: [String: [Float]]
        var gradients: [String: [Float]]
    }

    private let golden: Golden
    private let widths = EmbeddingWidths(user: 3, item: 4, category: 2, author: 3, small: 2)
    private let sizes = TableSizes(users: 3, items: 7, profile: [3, 4], surfaces: 2, categories: 3, authors: 4)

    init() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/models.json")
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    private func assign(_ values: [String: [Float]], to parameters: ParameterSet) throws {
        #expect(Set(parameters.all.map(\.name)) == Set(values.keys))
        for parameter in parameters.all { parameter.assign(try #require(values[parameter.name])) }
    }

    private func compare(_ parameters: ParameterSet, _ expected: [String: [Float]]) throws {
        let found =
            parameters.matrices.map { ($0.name, $0.gradientArray) }
            + parameters.tables.map { ($0.name, $0.gradientArray) }
        for (name, gradient) in found {
            let expected = try #require(expected[name])
            #expect(gradient.count == expected.count)
            let error = zip(gradient, expected).map { abs($0 - $1) }.max() ?? 0
            #expect(error < 1e-5, "\(name) is off by \(error)")
            #expect(expected.contains { $0 != 0 }, "\(name) has no gradient to compare")
        }
    }

    @Test func twoTowerLossAndGradients() throws {
        var specification = TwoTowerSpecification()
        specification.user.layers = [6, 4]
        specification.item.layers = [5, 4]
        specification.embeddings = widths
        specification.temperature = 0.2
        let parameters = ParameterSet(seed: 1)
        let model = try TwoTowerModel(specification, sizes: sizes, in: parameters)
        try assign(golden.twoTower.parameters, to: parameters)
        let tape = Tape(seed: 1)
        let batch = TwoTowerBatch(
            users: golden.inputs.userInputs, items: golden.inputs.itemInputs,
            logProbabilities: golden.twoTower.logProbabilities)
        let loss = model.loss(batch, on: tape)
        #expect(abs(loss[0, 0] - golden.twoTower.loss) < 1e-5)
        tape.backward(from: loss)
        try compare(parameters, golden.twoTower.gradients)
    }

    @Test func threeTowerLossAndGradients() throws {
        var specification = ThreeTowerSpecification()
        specification.user.layers = [6, 4]
        specification.item.layers = [5, 3]
        specification.embeddings = widths
        specification.cross = [.itemLogOdds, .userLogOdds, .surfaceLogOdds]
        specification.crossWidth = 4
        specification.headWidth = 5
        let expected = golden.threeTower
        let parameters = ParameterSet(seed: 1)
        let model = try ThreeTowerModel(specification, sizes: sizes, in: parameters)
        try assign(expected.parameters, to: parameters)
        let tape = Tape(seed: 1)
        let outcomes = zip(expected.clicks, expected.seconds).map { Outcome(isClick: $0, watchSeconds: $1) }
        let loss = model.loss(
            users: golden.inputs.userInputs, items: golden.inputs.itemInputs, features: expected.features,
            outcomes: outcomes, on: tape)
        #expect(abs(loss.total[0, 0] - expected.loss) < 1e-5)
        #expect(abs(loss.click[0, 0] - expected.clickLoss) < 1e-5)
        tape.backward(from: loss.total)
        try compare(parameters, expected.gradients)
    }

    /// Before training the click logit is the sum of the three log-odds and the common one.
    @Test func thePreRankerStartsAsTheRateModel() throws {
        let parameters = ParameterSet(seed: 5)
        let model = try ThreeTowerModel(ThreeTowerSpecification(), sizes: sizes, in: parameters)
        model.startAsRateModel(clickLogOdds: -0.75)
        let workspace = Workspace()
        let names = model.specification.cross
        let features = names.indices.map { Float($0) * 0.25 - 1 }
        let outputs = model.head(
            users: model.users(golden.inputs.userInputs, in: workspace),
            items: model.items(golden.inputs.itemInputs, in: workspace),
            features: workspace.input((0..<6).flatMap { _ in features }, columns: names.count), in: workspace)
        let expected = zip(names, features).filter { CrossFeature.rateModel.contains($0.0) }.map(\.1).reduce(-0.75, +)
        for row in 0..<6 { #expect(abs(outputs.click[row, 0] - expected) < 1e-6) }
    }
}
