import ArgumentParser
import Foundation
import Glibc
import Logging
import RPC
import Snapshots
import Synchronization

/// Fetches, verifies and unpacks one version into an empty cache; prints seconds and memory as JSON.
struct FetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fetch")

    @Option(help: "Port of the server.")
    var port: Int

    @Option(help: "Folder for the cache.")
    var cache: String

    @Argument(help: "Version.")
    var version: String

    func run() async throws {
        let client = try Client(targets: ["127.0.0.1:\(port)"], configuration: RemoteSource.clientConfiguration)
        var configuration = SnapshotHostConfiguration(
            role: "benchmark", cacheDirectory: cache,
            filter: ComponentFilter(kinds: ["vectors", "itemcf", "users", "catalog"]))
        configuration.niceness = 0  // `zstd -d`, beside which this runs, has no lower priority either.
        let host = try SnapshotHost(
            configuration, source: RemoteSource(client: client),
            logger: Logger(label: "fetch") { _ in SwiftLogNoOpLogHandler() }, load: { $0.version })
        let peak = PeakMemory()
        let before = PeakMemory.anonymous()
        let report = try await host.prepare(version)
        let seconds = Double(report.duration.components.seconds) + Double(report.duration.components.attoseconds) / 1e18
        let result: [String: Double] = [
            "seconds": seconds, "fetched_bytes": Double(report.fetchedBytes),
            "peak_memory_bytes": Double(peak.stop() - before), "cpu_seconds": cpuSeconds(),
        ]
        print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
        await client.close()
    }

    /// User and system time of all threads.
    private func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}

/// Watches this process's own memory, mapped files left out: those are the page cache's.
final class PeakMemory: Sendable {
    private let state = Mutex((peak: 0, isDone: false))

    init() {
        Thread { [self] in
            while !state.withLock({ $0.isDone }) {
                let now = Self.anonymous()
                state.withLock { $0.peak = max($0.peak, now) }
                Thread.sleep(forTimeInterval: 0.02)
            }
        }.start()
    }

    /// Ends the watch; the largest value seen, in bytes.
    func stop() -> Int {
        state.withLock {
            $0.isDone = true
            return $0.peak
        }
    }

    static func anonymous() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("RssAnon:") {
            return (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
        }
        return 0
    }
}
