import ArgumentParser
import Blobs
import Foundation
import Kernels
import VectorIndex

/// Builds vector indexes from NumPy files and searches them as the benchmark says.
@main
struct VectorsBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vectors-bench", abstract: "Builds and searches vector indexes for the benchmark beside peers.",
        subcommands: [Build.self, Serve.self, Export.self])
}

struct Build: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Builds an index; keys are row numbers. Prints JSON.")

    @Option(help: "Vectors, a NumPy file of float32.") var items: String
    @Option(help: "Queries to tune and measure with, likewise.") var tuning: String
    @Option(help: "Where the index goes.") var out: String
    @Option(help: "ivf-int8 or ivf-pq.") var kind: String
    @Option(help: "Recall of the best hundred that must be reached.") var recall = 0.95
    @Option(help: "Threads.") var threads = 1
    @Option(help: "Inverted lists; 4 sqrt(n) when left out.") var lists: Int?

    func run() throws {
        let vectors = try Matrix<Float>(path: items, type: "<f4")
        let queries = try Matrix<Float>(path: tuning, type: "<f4")
        var options = VectorIndexOptions()
        guard let kind = IndexKind(rawValue: kind) else { throw ValidationError("--kind: no kind \"\(kind)\"") }
        options.kind = kind
        options.targetRecall = recall
        options.threads = threads
        options.lists = lists
        let (start, work) = (ContinuousClock.now, processSeconds())
        let index = try VectorIndex.build(
            keys: SharedBuffer((0..<vectors.rows).map { UInt64($0) }), vectors: vectors.values,
            dimension: vectors.columns, queries: queries.values, options: options)
        let (wall, cpu) = ((ContinuousClock.now - start) / .seconds(1), processSeconds() - work)
        let component = index.component()
        try component.write(to: out)
        let report = index.report
        print(
            "{\"seconds\": \(wall), \"cpu_seconds\": \(cpu), \"bytes\": \(component.size), "
                + "\"recall\": \(report.recall), \"probes\": \(report.probes), \"rerank\": \(report.rerank), "
                + "\"patience\": \(report.patience), "
                + "\"lists\": \(report.lists), \"growth\": \(report.probeGrowth)}")
    }

    private func processSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Commands, a line each: `set PROBES RERANK PATIENCE`; `filter FILE` (a byte per row, NumPy) or `filter none`; `time FIRST COUNT`, which
/// answers with microseconds of processor time a query; `found FILE`, which writes the rows found for every query.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Searches an index, one query a call, as told.")

    @Option(help: "The index.") var index: String
    @Option(help: "Queries, a NumPy file of float32.") var queries: String
    @Option(help: "Vectors wanted of each search.") var depth = 100

    func run() throws {
        var index = try VectorIndex(component: SafetensorsFile(path: index))
        let queries = try Matrix<Float>(path: queries, type: "<f4")
        let scratch = SearchScratch()
        var filter: RowFilter?
        say("ready \(kernels.name) \(index.report.lists) \(index.report.probes) \(index.report.rerank)")
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            switch (words.first, words.count) {
            case ("set", 4):
                guard let probes = Int(words[1]), let rerank = Double(words[2]), let patience = Int(words[3]),
                    probes > 0, rerank >= 1, patience >= 0
                else {
                    throw ValidationError("set: expected positive numbers, found \"\(line)\"")
                }
                index.report.probes = min(probes, index.report.lists)
                index.report.rerank = rerank
                index.report.patience = patience
                say("set")
            case ("filter", 2):
                filter = try words[1] == "none" ? nil : allowed(words[1], of: index)
                say("filter")
            case ("time", 3):
                guard let first = Int(words[1]), let count = Int(words[2]), first >= 0, count > 0 else {
                    throw ValidationError("time: expected a query and a count, found \"\(line)\"")
                }
                say("\(try time(first, count, index, queries, filter, scratch))")
            case ("found", 2):
                try found(index, queries, filter, scratch).write(to: URL(filePath: words[1]))
                say("found")
            default: throw ValidationError("unknown command \"\(line)\"")
            }
        }
    }

    /// Not `print`, which keeps lines back while nobody looks.
    private func say(_ answer: String) {
        FileHandle.standardOutput.write(Data((answer + "\n").utf8))
    }

    private func allowed(_ path: String, of index: VectorIndex) throws -> RowFilter {
        let bytes = try Matrix<UInt8>(path: path, type: "|u1")
        guard bytes.rows == index.count else {
            throw ValidationError("\(path): expected \(index.count) rows, found \(bytes.rows)")
        }
        return index.filter { bytes.values[Int($0)] != 0 }
    }

    private func time(
        _ first: Int, _ count: Int, _ index: VectorIndex, _ queries: Matrix<Float>, _ filter: RowFilter?,
        _ scratch: SearchScratch
    ) throws -> Double {
        let nothing = KeySet()
        let start = threadMicroseconds()
        for place in first..<first + count {
            _ = try index.search(
                queries.row(place % queries.rows), limit: depth, filter: filter, excluding: nothing,
                scratch: scratch)
        }
        return (threadMicroseconds() - start) / Double(count)
    }

    /// `[q, depth]` UInt32, little-endian; rows that are missing are 2^32 - 1.
    private func found(
        _ index: VectorIndex, _ queries: Matrix<Float>, _ filter: RowFilter?, _ scratch: SearchScratch
    ) throws -> Data {
        var rows: [UInt32] = []
        for row in 0..<queries.rows {
            let best = try index.search(
                queries.row(row), limit: depth, filter: filter, excluding: KeySet(), scratch: scratch)
            rows += best.map { UInt32($0.id) }
            rows += [UInt32](repeating: .max, count: depth - best.count)
        }
        return rows.withUnsafeBytes { Data($0) }
    }

    private func threadMicroseconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }
}
