import ArgumentParser
import Blobs
import Features
import Foundation
import Kernels
import Models
import Networks

/// What a long history costs the default net: attention over all of it, or over what a search finds in it.
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Time the default net, on one thread, with histories of several lengths.")

    @Option(help: "Candidates of a request.") var candidates = 500
    @Option(help: "Requests that are timed.") var requests = 300

    private static let rows = ["user": 2_001, "item": 100_001, "category": 31, "author": 5_001]
    private static let numbers = 60

    private struct Variant {
        var name: String
        var length: Int
        var search: RankerSequence.Search?
    }

    func validate() throws {
        for (name, value) in [("candidates", candidates), ("requests", requests)] where value < 1 {
            throw ValidationError("--\(name): expected at least 1, found \(value)")
        }
    }

    func run() throws {
        let variants = [
            Variant(name: "none", length: 0), Variant(name: "attention over 50", length: 50),
            Variant(name: "attention over 100", length: 100),
            Variant(name: "hard search in 1,000, attention over 100", length: 1_000, search: .init(.hard, column: 1)),
            Variant(name: "soft search in 1,000, attention over 100", length: 1_000, search: .init(.soft, column: 0)),
            Variant(name: "attention over 1,000", length: 1_000),
        ]
        let results = try variants.map { variant in
            let times = try self.times(variant).sorted()
            let (median, late) = (times[times.count / 2], times[times.count * 99 / 100])
            return "{\"history\": \"\(variant.name)\", \"p50\": \(text(median)), \"p99\": \(text(late))}"
        }
        print("[\(results.joined(separator: ", "))]")
    }

    /// Microseconds of each request.
    private func times(_ variant: Variant) throws -> [Double] {
        let net = try self.net(variant)
        let scratch = RankerNet.Scratch(net, rowsMax: candidates)
        var random = SeededGenerator(seed: 5)
        let inputs = (0..<20).map { _ in self.inputs(variant.length, &random) }
        var predictions = [Float](repeating: 0, count: candidates * net.heads)
        var times: [Double] = []
        for request in 0..<requests + inputs.count {
            let start = ContinuousClock.now
            predictions.withUnsafeMutableBufferPointer {
                net.run(inputs[request % inputs.count], in: scratch, into: $0)
            }
            if request >= inputs.count { times.append((ContinuousClock.now - start) / .microseconds(1)) }
        }
        return times
    }

    private func net(_ variant: Variant) throws -> RankerNet {
        var specification = RankingSpecification.standardNet
        let names = ["user", "item", "category", "author"]
        specification.fields =
            names.map { RankerField($0, .categorical, table: $0) } + [
                RankerField("numbers", .numeric, count: Self.numbers)
            ]
        specification.tables = Dictionary(
            uniqueKeysWithValues: names.map { ($0, RankerTable(width: $0 == "user" || $0 == "item" ? 16 : 8)) })
        if variant.length > 0 {
            specification.sequences[0].length = variant.length
            specification.sequences[0].search = variant.search
        } else {
            specification.sequences = []
        }
        let parameters = ParameterSet(seed: 1)
        _ = try RankerModel(specification, rows: Self.rows, in: parameters)
        let path = FileManager.default.temporaryDirectory.appending(path: "ranker-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try RankerDescription(specification: specification, rows: Self.rows).writer(parameters).write(to: path)
        return try RankerNet(try SafetensorsFile(path: path))
    }

    /// A user's candidates and history, both mostly of a few categories.
    private func inputs(_ length: Int, _ random: inout SeededGenerator) -> RankerInputs {
        func rows(_ table: String, _ count: Int) -> [UInt32] {
            let size = (Self.rows[table] ?? 2) - 1
            return (0..<count).map { _ in
                let share = random.uniformDouble()
                return 1 + UInt32(Double(size) * (table == "category" ? share * share : share))
            }
        }
        let columns = ["item", "category", "author"]
        let history = RankerInputs.History(columns: columns.map { rows($0, length) }, offsets: [0, length])
        return RankerInputs(
            count: candidates,
            fields: [.categorical(rows("user", 1))] + columns.map { .categorical(rows($0, candidates)) } + [
                .numbers((0..<candidates * Self.numbers).map { _ in Float(random.normal()) })
            ], histories: length > 0 ? [history] : [])
    }

    private func text(_ value: Double) -> String { String(format: "%.1f", value) }
}
