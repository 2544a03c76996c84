import Features
import Foundation
import Models
import Networks
import Testing

/// Every loss of the two-tower model, and its gradients, against PyTorch: Resources/losses.py.
struct TwoTowerLossTests {
    struct Golden: Decodable {
        struct Inputs: Decodable {
            var users: [UInt32]
            var profile: [[UInt32]]
            var recentItems: [[UInt32]]
            var recentCategories: [[UInt32]]
            var items: [UInt32]
            var categories: [UInt32]
            var authors: [UInt32]
            var durations: [Float]
            var ages: [Float]
        }

        struct Loss: Decodable {
            var loss: Float
            var gradients: [String: [Float]]
        }

        var inputs: Inputs
        var own: [[Int]]
        var ownLogWeights: [Float]
        var logProbabilities: [Float]
        var temperature: Float
        var margin: Float
        var sigma: Float
        var shared: Int
        var parameters: [String: [Float]]
        var losses: [String: Loss]

        var users: UserInputs {
            let unused = [UInt32](repeating: 0, count: inputs.users.count)
            return UserInputs(
                users: inputs.users, profile: inputs.profile.flatMap { $0 }, surfaces: unused, hours: unused,
                weekdays: unused, recentItems: ragged(inputs.recentItems),
                recentCategories: ragged(inputs.recentCategories),
                numeric: .init(repeating: 0, count: unused.count * UserFeature.allCases.count))
        }

        var items: ItemInputs {
            ItemInputs(
                items: inputs.items, categories: inputs.categories, authors: inputs.authors,
                durations: inputs.durations, ages: inputs.ages)
        }

        private func ragged(_ lists: [[UInt32]]) -> RaggedRows {
            lists.reduce(into: RaggedRows()) { $0.append($1) }
        }
    }

    private let golden: Golden

    init() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/losses.json")
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    private func batch(isInBatch: Bool = true) -> TwoTowerBatch {
        TwoTowerBatch(
            users: golden.users, items: golden.items, shared: golden.shared, isInBatch: isInBatch,
            logProbabilities: golden.logProbabilities,
            own: golden.own.flatMap { $0 }.map { $0 < 0 ? nil : UInt32($0) }, ownCount: 2,
            ownLogWeights: golden.ownLogWeights)
    }

    private func model(_ loss: RetrievalLoss, in parameters: ParameterSet) throws -> TwoTowerModel {
        var specification = TwoTowerSpecification()
        specification.user.layers = [6, 4]
        specification.item.layers = [5, 4]
        specification.embeddings = EmbeddingWidths(user: 3, item: 4, category: 2, author: 3, small: 2)
        specification.temperature = golden.temperature
        specification.training.loss = loss
        specification.training.margin = golden.margin
        specification.training.sigma = golden.sigma
        let sizes = TableSizes(users: 3, items: 7, profile: [3, 4], surfaces: 1, categories: 3, authors: 4)
        let model = try TwoTowerModel(specification, sizes: sizes, in: parameters)
        #expect(Set(parameters.all.map(\.name)) == Set(golden.parameters.keys))
        for parameter in parameters.all { parameter.assign(try #require(golden.parameters[parameter.name])) }
        return model
    }

    @Test(arguments: [
        ("listwise", RetrievalLoss.listwise, true), ("listwise_global", .listwise, false),
        ("pointwise", .pointwise, true), ("hinge", .hinge, true), ("logistic", .logistic, true),
    ])
    func lossAndGradients(name: String, loss: RetrievalLoss, isInBatch: Bool) throws {
        let parameters = ParameterSet(seed: 1)
        let model = try model(loss, in: parameters)
        let expected = try #require(golden.losses[name])
        let tape = Tape(seed: 1)
        let found = model.loss(batch(isInBatch: isInBatch), on: tape)
        #expect(abs(found[0, 0] - expected.loss) < 1e-5)
        tape.backward(from: found)
        let gradients =
            parameters.matrices.map { ($0.name, $0.gradientArray) }
            + parameters.tables.map { ($0.name, $0.gradientArray) }
        for (name, gradient) in gradients {
            let expected = try #require(expected.gradients[name])
            #expect(gradient.count == expected.count)
            let error = zip(gradient, expected).map { abs($0 - $1) }.max() ?? 0
            #expect(error < 1e-5, "\(name) is off by \(error)")
            #expect(expected.contains { $0 != 0 }, "\(name) has no gradient to compare")
        }
    }

    /// Nothing stands against anyone: nothing is learned, and nothing breaks.
    @Test(arguments: [RetrievalLoss.pointwise, .hinge, .logistic])
    func aBatchWithoutNegatives(loss: RetrievalLoss) throws {
        let parameters = ParameterSet(seed: 1)
        let model = try model(loss, in: parameters)
        let tape = Tape(seed: 1)
        let batch = TwoTowerBatch(
            users: golden.users, items: golden.items, own: .init(repeating: nil, count: 12), ownCount: 2)
        let found = model.loss(batch, on: tape)
        #expect(found[0, 0].isFinite)
        tape.backward(from: found)
        if loss != .pointwise { #expect(parameters.matrices.allSatisfy { $0.gradientArray.allSatisfy { $0 == 0 } }) }
    }
}
