import ArgumentParser
import Foundation
import Messages
import RPC

/// Calls the server, each caller as soon as it has its answer, and prints the times in one JSON object.
struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Call the server with the requests in turn; prints times in microseconds.")

    @Option(help: "Where the file of requests is.") var directory: String
    @Option(help: "Port of the server.") var port: Int
    @Option(help: "Calls that are timed.") var calls = 1_000
    @Option(help: "Callers at a time.") var concurrency = 1

    /// Times of one call, microseconds.
    private struct Times {
        var call: Double
        /// As the server tells them.
        var server: UInt64
        var preRank: UInt64
        var rank: UInt64
    }

    func validate() throws {
        for (name, value) in [("calls", calls), ("concurrency", concurrency)] where value < 1 {
            throw ValidationError("--\(name): expected at least 1, found \(value)")
        }
    }

    func run() async throws {
        let requests = try [RankRequest](path: "\(directory)/requests")
        let client = try Client(targets: ["127.0.0.1:\(port)"])
        let warmUp = requests.count / 4
        _ = try await times(client, requests, calls: warmUp)
        let start = ContinuousClock.now
        let times = try await times(client, requests, calls: calls)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        await client.close()
        let stages: [(String, [Double])] = [
            ("call", times.map(\.call)), ("server", times.map { Double($0.server) }),
            ("pre_rank", times.map { Double($0.preRank) }), ("rank", times.map { Double($0.rank) }),
        ]
        let figures = stages.map { name, values in
            "\"\(name)\": {\"p50\": \(text(values, 0.5)), \"p99\": \(text(values, 0.99))}"
        }
        print(
            "{\"concurrency\": \(concurrency), \"warm_up\": \(warmUp), \"per_second\": \(String(format: "%.1f", Double(calls) / seconds)), "
                + figures.joined(separator: ", ") + "}")
    }

    private func times(_ client: Client, _ requests: [RankRequest], calls: Int) async throws -> [Times] {
        try await withThrowingTaskGroup(of: [Times].self) { group in
            for caller in 0..<concurrency {
                group.addTask {
                    var times: [Times] = []
                    for call in stride(from: caller, to: calls, by: concurrency) {
                        times.append(try await Self.time(client, requests[call % requests.count]))
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func time(_ client: Client, _ request: RankRequest) async throws -> Times {
        let start = ContinuousClock.now
        let response = try await client.unary(RankingMethods.rank, request)
        let elapsed = (ContinuousClock.now - start) / .microseconds(1)
        guard response.ranked, response.items.count == Int(request.limit), response.shortage.isEmpty else {
            throw RPCError(
                .internal,
                "expected \(request.limit) ranked items, found \(response.items.count) (ranked: \(response.ranked)) "
                    + response.shortage)
        }
        return Times(
            call: elapsed, server: response.microseconds, preRank: response.preRankMicroseconds,
            rank: response.rankMicroseconds)
    }

    private func text(_ values: [Double], _ share: Double) -> String {
        let sorted = values.sorted()
        return String(format: "%.1f", sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))])
    }
}
