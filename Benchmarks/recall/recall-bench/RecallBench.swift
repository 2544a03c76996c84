import ArgumentParser
import Blobs
import Catalog
import Foundation
import Kernels
import Recall
import VectorIndex

/// One shard's answer to one recall request, all channels on, without the network.
@main
struct RecallBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall-bench", abstract: "Measures one shard's time for a recall request with all channels.")

    @Option(help: "Items of the shard.") var items = 250_000
    @Option(help: "Users of the log that ItemCF is built from.") var users = 100_000
    @Option(help: "Showings with a like per user of that log.") var likes = 60
    @Option(help: "Length of the vectors.") var dimension = 64
    @Option(help: "Requests measured.") var requests = 4_000
    @Option(help: "Items of the last-n of a request.") var triggers = 200
    @Option(help: "Items excluded by each request.") var excluded = 300
    @Option(help: "FIFO that is told 'enable' before all channels are measured and 'disable' after: perf's.")
    var control: String?
    @Option(help: "Recall that the vector index must reach.") var recall = 0.95

    func validate() throws {
        for (name, value) in [
            ("items", items), ("users", users), ("likes", likes), ("dimension", dimension), ("requests", requests),
            ("triggers", triggers),
        ] where value < 1 {
            throw ValidationError("--\(name): expected at least 1, found \(value)")
        }
        guard excluded >= 0 else { throw ValidationError("--excluded: expected at least 0, found \(excluded)") }
    }

    func run() throws {
        let world = BenchWorld(items: items, users: users, likes: likes, dimension: dimension, queries: 1_000)
        let built = try world.build(recall: recall)
        let queries = world.queries(triggers: triggers, excluded: excluded)
        print("index: \(built.index)")
        for (step, seconds) in built.seconds { print("\(step): \(text(seconds)) s") }
        print("microseconds a request        p50 wall  p99 wall   p50 CPU   p99 CPU")
        try tell("enable")
        let all = try measure("all channels", queries, built.engine)
        try tell("disable")
        for channel in queries.first?.channels.map(\.channel) ?? [] {
            let alone = queries.map { query in
                var query = query
                query.channels.removeAll { $0.channel != channel }
                return query
            }
            _ = try measure(channel, alone, built.engine)
        }
        print(
            "{\"name\": \"recall\", \"value\": \(text(percentile(all.cpu, 0.5))), "
                + "\"unit\": \"CPU microseconds a request, median\", \"p99\": \(text(percentile(all.cpu, 0.99))), "
                + "\"wall_p50\": \(text(percentile(all.wall, 0.5))), \"wall_p99\": \(text(percentile(all.wall, 0.99))), "
                + "\"items\": \(items), \"triggers\": \(triggers), \"channels\": \(queries[0].channels.count), \"dimension\": \(dimension), \"recall\": \(built.index.recall), "
                + "\"kernels\": \"\(kernels.name)\", \"peers\": {}, \"ratios\": {}}")
    }

    /// Times of single requests, in microseconds: as they pass, and as this thread works.
    private struct Times {
        var wall: [Double] = []
        var cpu: [Double] = []
    }

    private func measure(_ name: String, _ queries: [RecallQuery], _ engine: RecallShardEngine) throws -> Times {
        for query in queries { _ = engine.recall(query) }
        var times = Times()
        for request in 0..<requests {
            let (start, work) = (ContinuousClock.now, threadMicroseconds())
            let results = engine.recall(queries[request % queries.count])
            times.cpu.append(threadMicroseconds() - work)
            times.wall.append((ContinuousClock.now - start) / .microseconds(1))
            for result in results where !result.error.isEmpty { throw ValidationError(result.error) }
        }
        let figures = [times.wall, times.cpu].flatMap { [percentile($0, 0.5), percentile($0, 0.99)] }
        print(name.padding(toLength: 28, withPad: " ", startingAt: 0) + figures.map { pad(text($0)) }.joined())
        return times
    }

    private func tell(_ word: String) throws {
        guard let control else { return }
        let file = try FileHandle(forWritingTo: URL(filePath: control))
        try file.write(contentsOf: Data("\(word)\n".utf8))
        try file.close()
        // perf looks at its FIFO now and then.
        Thread.sleep(forTimeInterval: 0.2)
    }

    private func threadMicroseconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }

    private func percentile(_ values: [Double], _ share: Double) -> Double {
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }

    private func text(_ value: Double) -> String { String(format: "%.1f", value) }
    private func pad(_ value: String) -> String { String(repeating: " ", count: max(1, 10 - value.count)) + value }
}
