import Foundation

/// Runs a program to its end and keeps what it said.
struct Command {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// The folder of the executables that were built together with these tests.
    static let binaries = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Runs one of the project's executables.
    static func run(binary: String, _ arguments: [String]) throws -> Outcome {
        try run(binaries.appendingPathComponent(binary), arguments)
    }

    /// Runs one of the project's scripts, named from the package's root.
    static func run(script: String, _ arguments: [String]) throws -> Outcome {
        try run(packageRoot.appendingPathComponent(script), arguments)
    }

    /// Runs a program of the system.
    static func run(program: String, _ arguments: [String]) throws -> Outcome {
        try run(URL(fileURLWithPath: program), arguments)
    }

    /// Output goes through files: a pipe that nobody empties would stop the program.
    private static func run(_ executable: URL, _ arguments: [String]) throws -> Outcome {
        let folder = try TemporaryFolder()
        let output = folder.url.appendingPathComponent("output")
        let errors = folder.url.appendingPathComponent("errors")
        for file in [output, errors] {
            try Data().write(to: file)
        }
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = packageRoot
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["TRIBUTARY_BINARIES": binaries.path], uniquingKeysWith: { $1 })
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }
}

/// A folder that goes when its owner goes.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("tributary-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}
