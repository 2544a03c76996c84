import Features
import Foundation
import Kernels
import Models
import Networks
import Testing

/// Deep Retrieval's losses, gradients and paths against PyTorch and enumeration: Resources/deep_retrieval.py.
@Suite struct DeepRetrievalTests {
    struct Golden: Decodable {
        var inputs: ModelGradientTests.Inputs
        var paths: [UInt32]
        var pathLoss: Float
        var scorerLoss: Float
        var logProbabilities: [Float]
        var x: [Float]
        /// `[n, K^D]`.
        var everyPath: [Float]
        var parameters: [String: [Float]]
        var gradients: [String: [Float]]
    }

    private let golden: Golden
    private let parameters = ParameterSet(seed: 1)
    private let model: DeepRetrievalModel
    private static let users = 6

    init() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/deep_retrieval.json")
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
        var specification = DeepRetrievalSpecification()
        specification.nodes = 5
        specification.paths = 2
        specification.nodeWidth = 3
        specification.hidden = 6
        specification.user.layers = [5, 4]
        specification.item.layers = [4]
        specification.embeddings = EmbeddingWidths(user: 3, item: 4, category: 2, author: 3, small: 2)
        specification.temperature = 0.2
        model = try DeepRetrievalModel(
            specification,
            sizes: TableSizes(users: 3, items: 7, profile: [3, 4], surfaces: 2, categories: 3, authors: 4),
            in: parameters)
        #expect(Set(parameters.all.map(\.name)) == Set(golden.parameters.keys))
        for parameter in parameters.all { parameter.assign(try #require(golden.parameters[parameter.name])) }
    }

    @Test(arguments: [1, 2]) func lossesAndGradientsAreThoseOfPyTorch(threads: Int) throws {
        let tape = Tape(seed: 1, threads: Threads(threads))
        let x = model.users(golden.inputs.userInputs, in: tape)
        let paths = model.pathLoss(x, paths: golden.paths, on: tape)
        let scorer = model.scorerLoss(
            x, items: golden.inputs.itemInputs, logProbabilities: golden.logProbabilities, on: tape)
        #expect(abs(paths[0, 0] - golden.pathLoss) < 1e-5)
        #expect(abs(scorer[0, 0] - golden.scorerLoss) < 1e-5)
        tape.backward(from: tape.add(paths, tape.scale(scorer, by: 0.5)))
        let found =
            parameters.matrices.map { ($0.name, $0.gradientArray) }
            + parameters.tables.map { ($0.name, $0.gradientArray) }
        for (name, gradient) in found {
            let expected = try #require(golden.gradients[name])
            #expect(gradient.count == expected.count)
            #expect(zip(gradient, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(name)")
            #expect(expected.contains { $0 != 0 }, "\(name) has no gradient to compare")
        }
    }

    /// All K^3 = 125 paths of a user with their probabilities, most probable first.
    private func enumerated(_ user: Int) -> [(path: UInt32, score: Float)] {
        golden.everyPath[user * 125..<(user + 1) * 125].enumerated()
            .map { (path: UInt32($0.offset), score: $0.element) }
            .sorted { ($1.score, $0.path) < ($0.score, $1.path) }
    }

    private func beams(_ width: Int, threads: Int = 1) -> PathBeams {
        let workspace = Workspace(threads: Threads(threads))
        return model.beams(model.users(golden.inputs.userInputs, in: workspace), width: width, in: workspace)
    }

    /// With K^2 beginnings kept, none is left out.
    @Test(arguments: [25, 60, 125, 1_000]) func aWideBeamFindsTheBestOfAllPaths(width: Int) {
        let found = beams(width)
        #expect(found.width == min(width, 125))
        for user in 0..<Self.users {
            let expected = enumerated(user).prefix(found.width)
            let range = user * found.width..<(user + 1) * found.width
            #expect(Array(found.paths[range]) == expected.map(\.path))
            #expect(zip(found.logProbabilities[range], expected).allSatisfy { abs($0 - $1.score) < 1e-5 })
        }
    }

    /// A narrow beam is what greedy selection over the enumerated probabilities of beginnings gives.
    @Test(arguments: [1, 2, 3, 7, 24]) func aNarrowBeamKeepsTheBestBeginnings(width: Int) {
        let found = beams(width)
        #expect(found.width == width)
        for user in 0..<Self.users {
            let every: [Double] = golden.everyPath[user * 125..<(user + 1) * 125].map { exp(Double($0)) }
            var kept = [0]
            for depth in 1...3 {
                // Paths that begin alike are neighbours: a beginning's probability is the sum over its block.
                let block = [25, 5, 1][depth - 1]
                var scored: [(path: Int, score: Double)] = []
                for beginning in kept {
                    for path in beginning * 5..<beginning * 5 + 5 {
                        scored.append((path, every[path * block..<(path + 1) * block].reduce(0, +)))
                    }
                }
                scored.sort { ($1.score, $0.path) < ($0.score, $1.path) }
                kept = scored.prefix(width).map { $0.path }
            }
            let range = user * width..<(user + 1) * width
            #expect(found.paths[range].map { Int($0) } == kept)
            for place in range {
                let expected = golden.everyPath[user * 125 + Int(found.paths[place])]
                #expect(abs(found.logProbabilities[place] - expected) < 1e-5)
            }
        }
    }

    @Test func usersAndThreadsChangeNothing() {
        let all = beams(10)
        #expect(beams(10, threads: 3) == all)
        let workspace = Workspace()
        for user in 0..<Self.users {
            var one = UserInputs()
            one.append(golden.inputs.userInputs, user)
            let found = model.beams(model.users(one, in: workspace), width: 10, in: workspace)
            let range = user * 10..<(user + 1) * 10
            #expect(found.paths == Array(all.paths[range]))
            #expect(zip(found.logProbabilities, all.logProbabilities[range]).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func pathsAreNumbersOfNodes() {
        let space = PathSpace(nodes: 5, depth: 3)
        #expect(space.count == 125 && space.checkedCount == 125)
        #expect((0..<3).map { space.node($0, of: 4 * 25 + 2 * 5 + 3) } == [4, 2, 3])
        #expect((0..<2).map { space.node($0, of: 4 * 5 + 2, length: 2) } == [4, 2])
        #expect(PathSpace(nodes: 4_096, depth: 2).checkedCount == PathSpace.countMax)
        #expect(PathSpace(nodes: 4_096, depth: 3).checkedCount == nil)
        #expect(PathSpace(nodes: .max, depth: 8).checkedCount == nil)
    }
}
