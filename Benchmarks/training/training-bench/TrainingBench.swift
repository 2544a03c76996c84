import ArgumentParser
import Blobs
import Features
import Foundation
import Kernels
import Models
import Networks

/// What training a ranking model takes, the rows being in memory.
@main
struct TrainingBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "training-bench", abstract: "Times the training of a ranking model.",
        subcommands: [StartCommand.self, TrainCommand.self])

    static func specification(_ path: String) throws -> RankerSpecification {
        try RankerSpecification(json: Data(contentsOf: URL(filePath: path)), path: path)
    }

    /// Rows of the tables, as rows.py makes them.
    static let sizes = [
        "user": 20_000, "item": 50_000, "category": 60, "author": 8_000, "keyword": 3_000, "hour": 24,
    ]
}

struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Writes the starting weights.")

    @Argument var model: String
    @Argument var output: String

    func run() throws {
        let parameters = ParameterSet(seed: 1)
        _ = try RankerModel(TrainingBench.specification(model), rows: TrainingBench.sizes, in: parameters)
        var writer = SafetensorsWriter()
        try parameters.write(to: &writer)
        try writer.write(to: output)
        print("{\"seconds\": 0}")
    }
}

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "train", abstract: "Trains, then scores other rows.")

    @Argument var model: String
    @Argument var rows: String
    @Argument var start: String
    @Argument var scores: String
    @Argument var train: Int
    @Argument var test: Int
    @Argument var batch: Int
    @Argument var threads: Int

    func run() throws {
        let rows = try Rows(rows)
        let parameters = ParameterSet(file: try SafetensorsFile(path: start), purpose: .training)
        let model = try RankerModel(TrainingBench.specification(model), rows: TrainingBench.sizes, in: parameters)
        var configuration = Optimizer.Configuration()
        configuration.dense = .adam(learningRate: 1e-3)
        configuration.tables = .adagrad(learningRate: 0.05, initial: 0.1, epsilon: 1e-8)
        let optimizer = Optimizer(parameters, configuration, threads: Threads(threads))
        let tape = Tape(seed: 1, threads: Threads(threads))
        let duration = ContinuousClock().measure {
            for first in stride(from: 0, to: train, by: batch) {
                let range = first..<min(first + batch, train)
                tape.reset()
                let loss = model.loss(rows.inputs(range), rows.labels(range), on: tape)
                tape.backward(from: loss.total)
                optimizer.step()
            }
        }
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        var found: [Float] = []
        let workspace = Workspace(threads: Threads(threads))
        for first in stride(from: train, to: train + test, by: batch) {
            workspace.reset()
            found += model(rows.inputs(first..<min(first + batch, train + test)), in: workspace)[0].array
        }
        var writer = SafetensorsWriter()
        writer.add("scores", found)
        try writer.write(to: scores)
        print("{\"seconds\": \(seconds)}")
    }
}

/// The rows of the file.
struct Rows {
    private let categorical: [[UInt32]]
    private let keywords: [UInt32]
    private let keywordOffsets: [Int]
    private let statistics: [Float]
    private let recent: [[UInt32]]
    private let recentOffsets: [Int]
    private let outcomes: [Float]

    private static let statisticCount = 12
    private static let headCount = 4

    init(_ path: String) throws {
        let file = try SafetensorsFile(path: path)
        func column(_ name: String) throws -> [UInt32] {
            Array(try file.buffer(name, as: UInt32.self, shape: [nil]))
        }
        func offsets(_ name: String, _ count: Int, rows: Int) throws -> [Int] {
            try file.offsets(name, spanning: count, rows: rows).map { Int($0) }
        }
        categorical = try ["user", "hour", "item", "category", "author"].map(column)
        let count = categorical[0].count
        keywords = try column("keywords")
        keywordOffsets = try offsets("keywords.offsets", keywords.count, rows: count)
        statistics = Array(try file.buffer("statistics", as: Float.self, shape: [count, Self.statisticCount]))
        recent = try ["recent.item", "recent.category"].map(column)
        recentOffsets = try offsets("recent.offsets", recent[0].count, rows: count)
        outcomes = Array(try file.buffer("labels", as: Float.self, shape: [count, Self.headCount]))
    }

    func inputs(_ range: Range<Int>) -> RankerInputs {
        let words = keywordOffsets[range.lowerBound]..<keywordOffsets[range.upperBound]
        let behaviours = recentOffsets[range.lowerBound]..<recentOffsets[range.upperBound]
        let numbers = range.lowerBound * Self.statisticCount..<range.upperBound * Self.statisticCount
        let lists = RaggedRows(
            rows: Array(keywords[words]),
            offsets: keywordOffsets[range.lowerBound...range.upperBound].map { $0 - words.lowerBound })
        return RankerInputs(
            count: range.count,
            fields: categorical.map { .categorical(Array($0[range])) } + [
                .multivalued(lists), .numbers(Array(statistics[numbers])),
            ],
            histories: [
                .init(
                    columns: recent.map { Array($0[behaviours]) },
                    offsets: recentOffsets[range.lowerBound...range.upperBound].map { $0 - behaviours.lowerBound })
            ])
    }

    func labels(_ range: Range<Int>) -> RankerLabels {
        RankerLabels(
            (0..<Self.headCount).map { head in range.map { outcomes[$0 * Self.headCount + head] } })
    }
}
