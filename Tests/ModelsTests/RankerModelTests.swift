import Blobs
import Features
import Foundation
import Kernels
import Models
import Networks
import Testing

/// Ranking models of a specification against PyTorch: Resources/ranker.py.
@Suite struct RankerModelTests {
    struct Golden: Decodable {
        var rows: [String: Int]
        var inputs: Inputs
        var labels: [[Float]]
        var full: Run
        var scalar: Run
    }

    struct Inputs: Decodable {
        struct History: Decodable {
            var columns: [[UInt32]]
            var ages: [UInt32]
            var lengths: [Int]
        }

        var user: [UInt32]
        var item: [UInt32]
        var category: [UInt32]
        var keywords: [[UInt32]]
        var numbers: [[Float]]
        var histories: [History]

        /// The rows as a model wants them.
        func rows(histories count: Int) -> RankerInputs {
            let lists = keywords.reduce(into: RaggedRows()) { $0.append($1) }
            return RankerInputs(
                count: user.count,
                fields: [
                    .categorical(user), .categorical(item), .categorical(category), .multivalued(lists),
                    .numbers(numbers.flatMap { $0 }),
                ],
                histories: histories.prefix(count).enumerated().map { index, history in
                    let offsets = history.lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
                    // The first sequence has no age.
                    return .init(columns: history.columns, ages: index == 0 ? [] : history.ages, offsets: offsets)
                })
        }
    }

    struct Run: Decodable {
        var specification: RankerSpecification
        var logits: [[Float]]
        var losses: [Float]
        var total: Float
        var parameters: [String: [Float]]
        var gradients: [String: [Float]]
    }

    private let golden: Golden

    init() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Resources/ranker.json")
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    private func compare(_ run: Run, histories: Int, threads: Threads) throws {
        let parameters = ParameterSet(seed: 1)
        let model = try RankerModel(run.specification, rows: golden.rows, in: parameters)
        #expect(Set(parameters.all.map(\.name)) == Set(run.parameters.keys))
        for parameter in parameters.all { parameter.assign(try #require(run.parameters[parameter.name])) }
        let tape = Tape(seed: 1, threads: threads)
        let inputs = golden.inputs.rows(histories: histories)
        let logits = model(inputs, in: tape)
        for (head, row) in zip(run.specification.heads, zip(logits, run.logits)) {
            #expect(difference(row.0.array, row.1) < 1e-5, "\(head.name)")
        }
        let labels = RankerLabels(Array(golden.labels.prefix(logits.count)))
        let loss = model.loss(logits: logits, labels, on: tape)
        #expect(difference(loss.heads.map { $0[0, 0] }, run.losses) < 1e-5)
        #expect(abs(loss.total[0, 0] - run.total) < 1e-5)
        tape.backward(from: loss.total)
        for matrix in parameters.matrices {
            #expect(difference(matrix.gradientArray, run.gradients[matrix.name] ?? []) < 2e-5, "\(matrix.name)")
        }
        for table in parameters.tables {
            #expect(difference(table.gradientArray, run.gradients[table.name] ?? []) < 2e-5, "\(table.name)")
        }
    }

    /// The largest |x - y| / (1 + |y|).
    private func difference(_ found: [Float], _ expected: [Float]) -> Float {
        guard found.count == expected.count else { return .infinity }
        return zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1) / (1 + abs($1.1))) }
    }

    @Test(arguments: [1, 2]) func everyBlockAndHeadTogether(_ threads: Int) throws {
        try compare(golden.full, histories: 3, threads: Threads(threads))
    }

    @Test func aFactorizationMachineAlone() throws {
        try compare(golden.scalar, histories: 0, threads: .one)
    }

    /// What a user's side given once gives is what it gives repeated.
    @Test func oneUserBeforeManyCandidates() throws {
        let run = golden.full
        let model = try RankerModel(run.specification, rows: golden.rows, in: ParameterSet(seed: 3))
        let all = golden.inputs.rows(histories: 3)
        var repeated = all
        var once = all
        guard case .numbers(let numbers) = all.fields[4] else { return }
        repeated.fields[0] = .categorical(.init(repeating: 2, count: 6))
        repeated.fields[4] = .numbers(Array(repeatElement(numbers[0..<3], count: 6).joined()))
        once.fields[0] = .categorical([2])
        once.fields[4] = .numbers(Array(numbers[0..<3]))
        for (index, history) in all.histories.enumerated() {
            let range = history.offsets[4]..<history.offsets[5]
            let columns = history.columns.map { Array($0[range]) }
            let ages = history.ages.isEmpty ? [] : Array(history.ages[range])
            once.histories[index] = .init(columns: columns, ages: ages, offsets: [0, range.count])
            repeated.histories[index] = .init(
                columns: columns.map { Array(repeatElement($0, count: 6).joined()) },
                ages: Array(repeatElement(ages, count: 6).joined()), offsets: (0...6).map { $0 * range.count })
        }
        let workspace = Workspace()
        let expected = model(repeated, in: workspace).map(\.array)
        let found = model(once, in: workspace).map(\.array)
        for (found, expected) in zip(found, expected) { #expect(difference(found, expected) < 1e-6) }
        #expect(Set(expected[0]).count == 6)
    }

    /// The served model is the trained one, running statistics and all.
    @Test func aComponentServesWhatWasTrained() throws {
        var specification = golden.full.specification
        specification.deep?.normalization = .batch
        specification.shared = .ple(own: 1, shared: 1, levels: [[6], [5]])
        let parameters = ParameterSet(seed: 3)
        let model = try RankerModel(specification, rows: golden.rows, in: parameters)
        let inputs = golden.inputs.rows(histories: 3)
        let optimizer = Optimizer(parameters)
        let tape = Tape(seed: 4)
        let statistics = try #require(model.makeGateStatistics())
        for _ in 0..<3 {
            tape.reset()
            let loss = model.loss(inputs, RankerLabels(golden.labels), on: tape, statistics: statistics)
            tape.backward(from: loss.total)
            optimizer.step()
        }
        // Five tasks, each with its own expert and the shared one.
        #expect(statistics.report.meanWeights.map(\.count) == [2, 2, 2, 2, 2])
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try RankerDescription(specification: specification, rows: golden.rows).writer(parameters).write(to: path)
        let served = try RankerModel(SafetensorsFile(path: path))
        let workspace = Workspace()
        for (found, expected) in zip(served(inputs, in: workspace), model(inputs, in: workspace)) {
            #expect(difference(found.array, expected.array) < 1e-5)
        }
    }

    @Test func aComponentSaysWhichOfItsLayersAreServedInBytes() throws {
        let specification = golden.full.specification
        let parameters = ParameterSet(seed: 3)
        let model = try RankerModel(specification, rows: golden.rows, in: parameters)
        let layers = parameters.matrices.filter { min($0.rows, $0.columns) > 1 }.map(\.name)
        let precisions = Dictionary(uniqueKeysWithValues: layers.map { ($0, Precision.int8) })
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try RankerDescription(specification: specification, rows: golden.rows, precisions: precisions)
            .writer(parameters).write(to: path)
        let file = try SafetensorsFile(path: path)
        let inputs = golden.inputs.rows(histories: 3)
        let workspace = Workspace()
        let expected = model(inputs, in: workspace)
        let plain = try RankerModel(file, precisions: [:])(inputs, in: workspace)
        let bytes = try RankerModel(file)(inputs, in: workspace)
        for head in expected.indices {
            #expect(difference(plain[head].array, expected[head].array) < 1e-5)
            let lost = difference(bytes[head].array, expected[head].array)
            #expect(lost < 0.1 && lost > 1e-5, "head \(head): \(lost)")
        }
    }

    @Test func partsAreCountedWithoutMakingThem() throws {
        let specification = golden.full.specification
        let costs = try specification.costs(rows: golden.rows)
        let parameters = ParameterSet(seed: 1)
        _ = try RankerModel(specification, rows: golden.rows, in: parameters)
        #expect(costs.reduce(0) { $0 + $1.parameters } == parameters.count)
        #expect(costs.map(\.part).contains("shared: mmoe"))
        // The deep net by hand: 43 inputs, layers of 8 and 6, each with a bias and two rows of the norm.
        let inputs = 3 + 4 + 2 + 2 + 4 + (4 + 2 + 3 + 2) + (4 + 2 + 1) + 3
        let deep = try #require(costs.first { $0.part == "deep" })
        #expect(deep.parameters == inputs * 8 + 8 + 16 + 8 * 6 + 6 + 12)
        #expect(deep.operations == 2 * (inputs * 8 + 8 * 6) + 7 * (8 + 6))
        let vast = try specification.costs(rows: golden.rows.mapValues { $0 * 100_000_000 })
        #expect(vast[0].parameters > 4_000_000_000)
    }

    /// A bottom net, nothing or PLE in place of the experts: every tower is reached by its loss.
    @Test(arguments: [RankerSharing.none, .bottom(widths: [6]), .ple(own: 1, shared: 1, levels: [[6], [5]])])
    func tasksMayShareOtherwise(_ sharing: RankerSharing) throws {
        var specification = golden.full.specification
        specification.shared = sharing
        let parameters = ParameterSet(seed: 3)
        let model = try RankerModel(specification, rows: golden.rows, in: parameters)
        let tape = Tape(seed: 4)
        let loss = model.loss(golden.inputs.rows(histories: 3), RankerLabels(golden.labels), on: tape)
        tape.backward(from: loss.total)
        #expect(loss.heads.count == 5 && loss.total[0, 0].isFinite)
        let ends = parameters.matrices.filter { $0.name.hasPrefix("head.") && $0.count == 1 }
        #expect(ends.count == 5 && ends.allSatisfy { $0.gradientArray[0] != 0 })
        #expect((model.makeGateStatistics() != nil) == (sharing == .ple(own: 1, shared: 1, levels: [[6], [5]])))
    }

    @Test func predictionsAreCorrectedForDownSampling() throws {
        let model = try RankerModel(golden.full.specification, rows: golden.rows, in: ParameterSet(seed: 3))
        let workspace = Workspace()
        let logits = workspace.input([0, 2], columns: 1)
        // By hand: p = 0.5 -> 0.5 / (1 + 0.5) ... r p / ((1 - p) + r p) with r = 0.5.
        let click = model.predictions(logits, head: 0)
        #expect(abs(click[0] - 1.0 / 3) < 1e-6 && abs(click[1] - 0.786_986) < 1e-5)
        let watch = model.predictions(logits, head: 2)
        #expect(abs(watch[0] - 1) < 1e-6 && abs(watch[1] - 7.389_056) < 1e-4)
        #expect(abs(model.predictions(logits, head: 1)[1] - 0.880_797) < 1e-6)
    }
}
