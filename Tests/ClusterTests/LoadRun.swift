import Foundation

/// loadgen in the background, and what it measured.
final class LoadRun {
    private let process = Process()
    private let file: URL

    init(_ cluster: LocalCluster, rate: Int, seconds: Int) throws {
        file = cluster.folder.url.appendingPathComponent("load-\(UUID().uuidString).json")
        process.executableURL = Command.binaries.appendingPathComponent("loadgen")
        process.arguments = [
            "--address", cluster.orchestrator, "--data", "\(cluster.directory)/data", "--rate", "\(rate)",
            "--duration", "\(seconds)", "--warm-up", "0", "--zipf", "0", "--page-size", "5", "--quiet",
            "--explain-ratio", "0.3",
            "--json", file.path,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func finish() throws -> Measurements {
        process.waitUntilExit()
        return try JSONDecoder().decode(Measurements.self, from: Data(contentsOf: file))
    }

    struct Measurements: Decodable {
        struct Counts: Decodable {
            var answered: Int
            var failed: Int
            var partial: Int
            var unranked: Int
            var compared: Int
            var mixed: Int
        }

        var totals: Counts
        var errors: [String: Int]
        var versions: [String: Int]
    }
}
