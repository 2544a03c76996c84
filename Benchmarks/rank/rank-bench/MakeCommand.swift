import ArgumentParser
import Foundation
import Kernels
import Simulation
import Snapshots

/// Makes the snapshot and the requests.
struct MakeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make", abstract: "Make a snapshot of models with random weights, and requests to its ranker.")

    @Option(help: "Where the store, and the file of requests, are made.") var directory: String
    @Option(help: "Items of the catalogue.") var items = 100_000
    @Option(help: "Users of the log.") var users = 2_000
    @Option(help: "Showings of the log.") var impressions = 600_000
    @Option(help: "Candidates of a request.") var candidates = 2_000
    @Option(help: "Candidates that come through the cut.") var keep = 500
    @Option(help: "Requests.") var requests = 400
    @Option(help: "JSON file with the ranker's specification, in parts; the default model without it.")
    var specification: String?
    @Flag(help: "Hold every layer that may be in bytes.") var int8 = false

    func run() throws {
        var configuration = WorldConfiguration()
        (configuration.users, configuration.items) = (users, items)
        configuration.impressions = impressions
        try configuration.validate()
        let store = try SnapshotStore(directory: "\(directory)/store")
        let world = try BenchWorld(configuration, specification: specification)
        let version = try world.publish(to: store, int8: int8)
        let requests = BenchRequests(world, candidates: candidates, keep: keep).make(requests, version: version)
        try requests.write(to: "\(directory)/requests")
    }
}
