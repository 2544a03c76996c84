import Foundation
import Testing

/// Runs the scenarios of Tests/peers: Python's grpcio and h2load against our server, our client against grpcio's server,
/// and raw sockets that break the rules. Each scenario starts its own processes.
@Suite(
    .serialized,
    .enabled(if: Peers.areInstalled, "the peers are not installed: run scripts/python-env.sh"))
struct PeerTests {
    @Test(arguments: Peers.scenarios)
    func scenario(name: String) async throws {
        let run = try await Peers.run([name])
        #expect(run.code == 0, "\(run.output)")
    }
}

/// The Python side of the scenarios.
enum Peers {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    static let python = root.appending(path: ".venv/bin/python")
    static let script = root.appending(path: "Tests/peers/run.py")

    static var areInstalled: Bool {
        FileManager.default.isExecutableFile(atPath: python.path)
    }

    /// The names that the scripts define, read from their text so that listing them needs no Python.
    static let scenarios: [String] = ["grpcio_client", "grpcio_server", "malformed", "load"].flatMap { module in
        let file = root.appending(path: "Tests/peers/\(module).py")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.matches(of: /(?m)^def scenario_(\w+)\(/).map { "\(module).\($0.1)" }
    }

    /// rpc-echo, which is built beside the tests.
    private static let program = URL(fileURLWithPath: CommandLine.arguments[0])
        .deletingLastPathComponent().appending(path: "rpc-echo")

    /// Runs the scripts; returns their exit code and everything they printed.
    static func run(_ arguments: [String]) async throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = python
        process.arguments = [script.path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["RPC_ECHO": program.path, "PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        // A file rather than a pipe: nobody has to read while the process runs.
        let log = FileManager.default.temporaryDirectory.appending(path: "peers-\(UUID().uuidString).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: log) }
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        let code = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        return (code, String(decoding: try Data(contentsOf: log), as: UTF8.self))
    }
}
