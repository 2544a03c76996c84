import ArgumentParser
import Foundation
import Logging
import RPC
import Snapshots

/// A snapshot-server without nodes, on a port of the system's choice, which it prints.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve")

    @Option(help: "Folder of the store.")
    var store: String

    func run() async throws {
        let logger = Logger(label: "serve") { _ in SwiftLogNoOpLogHandler() }
        let controller = try RolloutController(
            store: SnapshotStore(directory: store), nodes: [], logger: logger)
        let server = Server(
            configuration: ServerConfiguration(host: "127.0.0.1", port: 0),
            services: [SnapshotStoreService(controller)], logger: logger)
        print(try await server.start())
        fflush(nil)
        // Until the benchmark closes this process's input.
        while readLine() != nil {}
        await server.shutdown(within: .seconds(1))
    }
}
