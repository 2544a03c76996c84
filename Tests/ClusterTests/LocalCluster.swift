import Foundation

/// A small cluster of real processes in a folder of its own, on ports of its own.
final class LocalCluster {
    let folder: TemporaryFolder
    let portBase: Int
    let shards: Int
    let replicas: Int
    private(set) var lastUp: Command.Outcome

    var directory: String { folder.url.path }
    var configuration: String { "\(directory)/cluster.yaml" }
    var orchestrator: String { "127.0.0.1:\(portBase)" }

    /// Generates a small world, trains on it and starts the processes.
    init(shards: Int = 2, replicas: Int = 1) throws {
        folder = try TemporaryFolder()
        self.shards = shards
        self.replicas = replicas
        // Room for a test that doubles the replicas.
        portBase = try Self.freePorts(count: 100 + 2 * shards * replicas)
        lastUp = Command.Outcome(status: -1, output: "", errors: "")
        try up()
    }

    deinit {
        _ = try? Command.run(script: "cluster/down.sh", ["--directory", directory])
    }

    /// - Parameter more: options that are to be otherwise; the last of two counts.
    @discardableResult
    func up(_ more: [String] = []) throws -> Command.Outcome {
        lastUp = try Command.run(
            script: "cluster/up.sh",
            [
                "--no-build", "--directory", directory, "--port-base", "\(portBase)", "--shards", "\(shards)",
                "--replicas", "\(replicas)", "--users", "300", "--items", "600", "--impressions", "20000",
                "--epochs", "1",
            ] + more)
        return lastUp
    }

    /// The process that a pid file names.
    func pid(_ name: String) throws -> Int32 {
        let text = try String(contentsOfFile: "\(directory)/pids/\(name)", encoding: .utf8)
        guard let pid = text.split(separator: " ").first.flatMap({ Int32($0) }) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return pid
    }

    var processNames: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: "\(directory)/pids").sorted() }
    }

    /// kill -9, as a crash would.
    func crash(_ name: String) throws {
        kill(try pid(name), SIGKILL)
    }

    /// A process of the configuration as it is started.
    func member(_ name: String) throws -> (executable: URL, arguments: [String]) {
        let list = try Command.run(binary: "tributary", ["cluster", "processes", "--config", configuration]).output
        let line = list.split(separator: "\n").first { $0.hasPrefix("\(name)\t") }
        let words = (line?.split(separator: "\t").last ?? "").split(separator: " ").map(String.init)
        return (
            Command.binaries.appendingPathComponent(words.first ?? "missing-\(name)"), Array(words.dropFirst())
        )
    }

    /// Starts one process of the configuration; up.sh would start all that are missing.
    func start(_ name: String) throws -> Process {
        let process = Process()
        (process.executableURL, process.arguments) = try { ($0.executable, $0.arguments) }(member(name))
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    func page(user: String, _ more: [String] = []) throws -> Page {
        let outcome = try Command.run(
            binary: "tributary", ["recommend", "--json", "--address", orchestrator, "--user", user] + more)
        guard outcome.status == 0 else { throw CommandFailure(message: outcome.errors) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Page.self, from: Data(outcome.output.utf8))
    }

    func sampleUser() throws -> String {
        try Command.run(binary: "tributary", ["cluster", "sample-user", "--data", "\(directory)/data"]).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What `tributary recommend --json` prints.
    struct Page: Decodable {
        struct Item: Decodable {
            var itemId: String
            var channels: [String]
        }

        struct Completeness: Decodable {
            var shardsAsked: Int
            var shardsAnswered: Int
            var missingChannels: [String]
            var order: String
            var reasons: [String]
        }

        var snapshotVersion: String
        var userKnown: Bool
        var items: [Item]
        var completeness: Completeness
    }

    /// The first of a run of ports of which the ones that a cluster of this machine uses are free now.
    static func freePorts(count: Int) throws -> Int {
        for _ in 0..<100 {
            let base = Int.random(in: 100...300) * 100
            let used = [0, 20, 40] + (100..<count).map { $0 }
            if used.allSatisfy({ isFree(port: base + $0) }) { return base }
        }
        throw CommandFailure(message: "no free ports found")
    }

    private static func isFree(port: Int) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

struct CommandFailure: Error, CustomStringConvertible {
    var message: String
    var description: String { message }
}
