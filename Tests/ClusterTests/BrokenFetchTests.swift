import Foundation
import Testing

/// A snapshot-server and a fetching node as processes, one of which is killed half way: nothing is fetched twice but what
/// was on its way.
@Suite(.serialized) final class BrokenFetchTests {
    private let folder: TemporaryFolder
    private let port: Int
    private let version: String
    /// Bytes of the snapshot's blobs.
    private let total: Int
    private var running: [Process] = []

    private var directory: String { folder.url.path }
    private var cache: String { "\(directory)/cache" }

    init() throws {
        folder = try TemporaryFolder()
        let base = try LocalCluster.freePorts(count: 101)
        port = base + 20
        let store = "\(folder.url.path)/store"
        let configuration = try Command.run(
            binary: "tributary",
            ["cluster", "configure", "--shards", "1", "--port-base", "\(base)", "--directory", folder.url.path])
        try configuration.output.write(
            toFile: "\(folder.url.path)/cluster.yaml", atomically: true, encoding: .utf8)
        let made = try Command.run(binary: "snapshot-fetch", ["make", "--store", store, "--megabytes", "320"])
        guard made.status == 0 else { throw CommandFailure(message: made.errors) }
        version = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let blobs = "\(store)/blobs"
        total = try FileManager.default.contentsOfDirectory(atPath: blobs).reduce(0) {
            $0 + Self.size("\(blobs)/\($1)")
        }
    }

    deinit {
        for process in running where process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    @Test(.timeLimit(.minutes(2)))
    func aFetchOutlivesTheKilledServer() async throws {
        let first = try await startServer()
        let (node, readBefore) = try await pausedHalfWay("output", from: first)
        let readByFirst = try bytesRead(first) - readBefore
        kill(first.processIdentifier, SIGKILL)
        first.waitUntilExit()
        kill(node.processIdentifier, SIGCONT)
        try await Task.sleep(for: .milliseconds(200))
        #expect(node.isRunning)
        let second = try await startServer()
        node.waitUntilExit()
        try #require(node.terminationStatus == 0, "\(errors("output"))")
        let readBySecond = try bytesRead(second)
        // Lost are what the first server had read and not yet delivered, and what either reads besides blobs.
        #expect(readByFirst > 20 << 20 && readBySecond > 20 << 20)
        #expect(readByFirst + readBySecond < total + (16 << 20), "\(readByFirst) + \(readBySecond) of \(total)")
        #expect(try report("output").fetchedBytes == Double(total))
        try everythingIsWhole()
    }

    @Test(.timeLimit(.minutes(2)))
    func aKilledNodeContinuesFromItsDisk() async throws {
        let server = try await startServer()
        let (node, _) = try await pausedHalfWay("first", from: server)
        kill(node.processIdentifier, SIGKILL)
        node.waitUntilExit()
        let before = try bytesRead(server)
        let again = try fetch("second")
        again.waitUntilExit()
        try #require(again.terminationStatus == 0, "\(errors("second"))")
        let fetched = Int(try report("second").fetchedBytes)
        // Frames of 4 MiB that were being unpacked, and the one that was arriving, come again.
        #expect(fetched < total - (20 << 20), "\(fetched) of \(total)")
        #expect(try bytesRead(server) - before < fetched + (1 << 20))
        try everythingIsWhole()
    }

    // MARK: Processes

    private func start(_ binary: String, _ arguments: [String], output: String = "log") throws -> Process {
        let process = Process()
        process.executableURL = Command.binaries.appendingPathComponent(binary)
        process.arguments = arguments
        for (ending, isErrors) in [("output", false), ("errors", true)] {
            let file = folder.url.appendingPathComponent("\(output).\(ending)")
            try Data().write(to: file)
            let handle = try FileHandle(forWritingTo: file)
            if isErrors { process.standardError = handle } else { process.standardOutput = handle }
        }
        try process.run()
        running.append(process)
        return process
    }

    /// Returns once the server listens.
    private func startServer() async throws -> Process {
        let server = try start("snapshot-server", ["--config", "\(directory)/cluster.yaml"])
        while server.isRunning && !errors("log").contains("listening") { try await Task.sleep(for: .milliseconds(5)) }
        return server
    }

    private func fetch(_ output: String) throws -> Process {
        try start("snapshot-fetch", ["fetch", "--port", "\(port)", "--cache", cache, version], output: output)
    }

    private func errors(_ output: String) -> String {
        (try? String(contentsOfFile: "\(directory)/\(output).errors", encoding: .utf8)) ?? ""
    }

    private struct Report: Decodable { var fetchedBytes: Double }

    private func report(_ output: String) throws -> Report {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Report.self, from: Data(contentsOf: URL(filePath: "\(directory)/\(output).output")))
    }

    /// A fetching node that has 100 to 240 of the snapshot's 320 MB, stopped by SIGSTOP: what is done to server or node then
    /// happens in the middle of a fetch, on a machine of any speed. A node that was too fast to be stopped there is
    /// forgotten, and another begins from nothing.
    ///
    /// - Returns: the node, and what the server had read before it came.
    private func pausedHalfWay(
        _ output: String, from server: Process
    ) async throws -> (node: Process, readBefore: Int) {
        for _ in 0..<10 {
            let readBefore = try bytesRead(server)
            let node = try fetch(output)
            while node.isRunning, unpackedBytes() < 100 << 20 { try await Task.sleep(for: .milliseconds(1)) }
            kill(node.processIdentifier, SIGSTOP)
            if node.isRunning, unpackedBytes() < 240 << 20 { return (node, readBefore) }
            kill(node.processIdentifier, SIGKILL)
            node.waitUntilExit()
            try FileManager.default.removeItem(atPath: cache)
        }
        throw CommandFailure(message: "no fetch could be stopped half way: \(errors(output))")
    }

    /// Bytes of the files in the cache, finished or not.
    private func unpackedBytes() -> Int { cachedFiles().reduce(0) { $0 + Self.size($1) } }

    private func cachedFiles() -> [String] {
        ["partial", "components"].flatMap { part -> [String] in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(cache)/\(part)")) ?? []
            return names.filter { $0.hasSuffix(".safetensors") }.map { "\(cache)/\(part)/\($0)" }
        }
    }

    /// The node checked hashes; here, that the files are those that `zstd -d` makes of the blobs.
    private func everythingIsWhole() throws {
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(cache)/partial").isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(cache)/components").count == 4)
        let verified = try Command.run(
            program: "/bin/bash",
            [
                "-c",
                "for b in '\(directory)'/store/blobs/*; do "
                    + "zstd -q -d -c $b | cmp - '\(cache)'/components/$(basename $b).safetensors || exit 1; done",
            ])
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    }

    /// Bytes that a process has asked of files, blobs above all.
    private func bytesRead(_ process: Process) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/io", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("rchar:") }
        return try #require(line.flatMap { Int($0.dropFirst("rchar: ".count)) })
    }

    private static func size(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? Int) ?? 0
    }
}
