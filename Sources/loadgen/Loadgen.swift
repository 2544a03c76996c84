import ArgumentParser
import Dispatch
import Foundation
import RPC
import Service

@main
struct Main {
    static func main() async {
        await Program.run(Loadgen.self)
    }
}

struct Loadgen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loadgen",
        abstract: "Drive an orchestrator with recommendation requests and measure it.",
        discussion: """
            With --rate, requests arrive on a schedule of their own, and latency counts from the moment a request was meant \
            to start, so a slow answer cannot hide the requests that had to wait behind it. With --concurrency, each of \
            N callers waits for its answer before it asks again. Ctrl-C ends the run early. Exits with 1 when a --fail-if bar is crossed.
            """)

    @Option(help: "An orchestrator, host:port. Without it and without --config: 127.0.0.1:7100.")
    var address: String?

    @Option(help: "The cluster's configuration; its orchestrators and its TLS settings are used.")
    var config: String?

    @Option(help: "Open loop: requests per second.")
    var rate: Double?

    @Option(help: "Open loop: constant or poisson arrivals.")
    var arrivals = "poisson"

    @Option(help: "Closed loop: callers.")
    var concurrency: Int?

    @Option(help: "Seconds to measure.")
    var duration = 10

    @Option(help: "Seconds to run before, unmeasured.")
    var warmUp = 1

    @Option(help: "Users: FIRST..LAST, or a file with one id per line.")
    var users: String?

    @Option(help: "Users: all those of a data set. Without it and without --users: that of --config, or run/data.")
    var data: String?

    @Option(help: "Exponent of the Zipf law by which users are drawn; 0 draws all alike.")
    var zipf = 0.8

    @Option(help: "Items per page.")
    var pageSize = 20

    @Option(help: "Deadline of a request, in milliseconds.")
    var timeout = 1000

    @Option(help: "Share of pages whose first item is clicked and reported as an event.")
    var clickRatio = 0.0

    @Option(help: "Share of requests asked to explain, which tells whether all stages ran on one snapshot.")
    var explainRatio = 0.0

    @Option(help: "Seed of arrivals and draws.")
    var seed: UInt64 = 1

    @Option(help: "Fail when this holds, such as 'p99>50ms' or 'errors>0'; may be repeated.")
    var failIf: [String] = []

    @Option(help: "Write the measurements to this file as JSON.")
    var json: String?

    @Option(help: "Write a report to this file as HTML.")
    var report: String?

    @Flag(help: "No line per second.")
    var quiet = false

    mutating func run() async throws {
        let plan = try plan()
        var conditions: [FailCondition] = []
        for text in failIf { conditions.append(try FailCondition(text)) }
        for (flag, path) in [("--json", json), ("--report", report)] {
            try path.map { try Self.checkWritable($0, flag) }
        }
        let cluster = try config.map { try ClusterConfiguration(file: $0) }
        let people = try users.map { try UserSource.read($0) } ?? UserSource.read(dataset: dataset(of: cluster))
        let (client, target) = try connect(cluster)
        try await checkAnswers(client, target)

        let isQuiet = quiet
        if !isQuiet { print(LiveLine.header) }
        let runner = LoadRunner(client: client, plan: plan, users: people)
        let interrupts = Self.onInterrupt { runner.stop() }
        let recorder = await runner.run { window in
            if !isQuiet { print(LiveLine(window).text) }
        }
        interrupts.cancel()
        await client.close()

        var result = LoadResult(
            target: target, arrivals: rate == nil ? "closed" : arrivals, rate: rate, concurrency: concurrency,
            seconds: 0, users: people.count)
        recorder.fill(&result)
        result.seconds = Double(result.timeline.count)
        guard result.seconds > 0 else { throw WorkloadError("interrupted before the first measured second was over") }
        print(Summary(result).text)
        try write(result, conditions)
        try judge(result, conditions)
    }

    /// Users of another data set would be unknown to the cluster, and all get the popular page.
    private func dataset(of cluster: ClusterConfiguration?) -> String {
        data ?? cluster.map { "\($0.directory)/data" } ?? "run/data"
    }

    private func connect(_ cluster: ClusterConfiguration?) throws -> (Client, String) {
        guard let cluster else {
            let target = address ?? "127.0.0.1:7100"
            return (try Client(targets: [target]), target)
        }
        let targets = address.map { [$0] } ?? cluster.orchestrators
        return (try cluster.client(targets), targets.joined(separator: ","))
    }

    /// Ctrl-C ends the measurement, not the report.
    private static func onInterrupt(_ act: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler(handler: act)
        source.resume()
        return source
    }

    private func plan() throws -> LoadRunner.Plan {
        guard (rate == nil) != (concurrency == nil) else {
            throw ValidationError("give either --rate (open loop) or --concurrency (closed loop)")
        }
        let pace: LoadRunner.Plan.Pace
        if let rate {
            guard rate > 0, rate <= 1_000_000 else {
                throw ValidationError("--rate: expected above 0 and at most 1000000, found \(rate)")
            }
            guard let law = ArrivalSchedule.Law(rawValue: arrivals) else {
                throw ValidationError("--arrivals: expected constant or poisson, found '\(arrivals)'")
            }
            pace = .open(law: law, rate: rate)
        } else {
            let callers = concurrency ?? 0
            guard (1...10_000).contains(callers) else {
                throw ValidationError("--concurrency: expected 1 to 10000, found \(callers)")
            }
            pace = .closed(concurrency: callers)
        }
        for (name, value, range) in [
            ("--duration", duration, 1...86_400), ("--warm-up", warmUp, 0...3600), ("--page-size", pageSize, 1...500),
            ("--timeout", timeout, 1...600_000),
        ] where !range.contains(value) {
            throw ValidationError("\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
        for (name, value, limit) in [
            ("--click-ratio", clickRatio, 1.0), ("--explain-ratio", explainRatio, 1), ("--zipf", zipf, 10),
        ] where !(0...limit).contains(value) {
            throw ValidationError("\(name): expected 0 to \(limit), found \(value)")
        }
        return LoadRunner.Plan(
            pace: pace, duration: .seconds(duration), warmUp: .seconds(warmUp), timeout: .milliseconds(timeout),
            pageSize: pageSize, clickRatio: clickRatio, explainRatio: explainRatio, zipfExponent: zipf, seed: seed)
    }

    /// A run against nothing measures nothing.
    private func checkAnswers(_ client: Client, _ target: String) async throws {
        do {
            _ = try await client.unary(
                HealthProbe.method, HealthProbe.request, options: CallOptions(timeout: .seconds(5)))
        } catch {
            throw WorkloadError("no orchestrator answers at \(target): \(error.message)")
        }
    }

    private func write(_ result: LoadResult, _ conditions: [FailCondition]) throws {
        if let json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try Self.write(encoder.encode(result), to: json)
        }
        if let report { try Self.write(Data(HTMLReport(result, conditions).text.utf8), to: report) }
    }

    /// Said before the run, whose measurements would be lost after it.
    private static func checkWritable(_ path: String, _ flag: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw ValidationError("\(flag): cannot write \(path): no folder \(folder) to write to")
        }
        guard !(FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue) else {
            throw ValidationError("\(flag): cannot write \(path): it is a directory")
        }
    }

    private static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw WorkloadError("cannot write \(path): \(error.localizedDescription)")
        }
    }

    private func judge(_ result: LoadResult, _ conditions: [FailCondition]) throws {
        let crossed = conditions.filter { $0.isMet(by: result) }
        for condition in crossed {
            print(
                "FAILED \(condition): \(condition.metric.rawValue) is \(number(condition.metric.value(in: result), 3))")
        }
        if !crossed.isEmpty { throw ExitCode(1) }
    }
}
