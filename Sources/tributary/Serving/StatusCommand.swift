import ArgumentParser
import Messages
import RPC
import Service

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Health and snapshot versions of every process of a cluster.",
        discussion: "Exits with 1 when a process does not serve.")

    @Option(help: "The cluster's configuration.")
    var config: String

    @Option(help: "Seconds to wait until every process serves, 0 to 3600.")
    var wait = 0

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func validate() throws {
        guard (0...3600).contains(wait) else { throw ValidationError("--wait: expected 0 to 3600, found \(wait)") }
    }

    func run() async throws {
        let cluster = try ClusterConfiguration(file: config)
        let probes = try cluster.members.map { try MemberProbe($0, in: cluster) }
        let end = ContinuousClock.now + .seconds(wait)
        var states = await Self.ask(probes)
        while !states.allSatisfy(\.isServing), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(200))
            states = await Self.ask(probes)
        }
        if json { try printJSON(states) } else { print(Self.table(states), terminator: "") }
        if !states.allSatisfy(\.isServing) { throw ExitCode(1) }
    }

    private static func ask(_ probes: [MemberProbe]) async -> [MemberProbe.State] {
        await withTaskGroup(of: (Int, MemberProbe.State).self) { group in
            for (index, probe) in probes.enumerated() { group.addTask { (index, await probe.ask()) } }
            var states: [(Int, MemberProbe.State)] = []
            for await state in group { states.append(state) }
            return states.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func table(_ states: [MemberProbe.State]) -> String {
        var table = TextTable("process", "address", "health", "snapshot", "loaded", "note")
        for state in states {
            table.add(
                state.name, state.address, state.health, state.snapshot,
                state.loaded.isEmpty ? "" : "\(state.loaded.count)", state.note)
        }
        return table.text()
    }
}
