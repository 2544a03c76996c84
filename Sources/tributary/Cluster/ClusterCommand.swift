import ArgumentParser
import Service

/// What a cluster consists of; cluster/up.sh is built on it.
struct ClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Describe a cluster: its configuration, its processes, a user of its data.",
        subcommands: [ConfigureCommand.self, ProcessesCommand.self, SampleUserCommand.self])
}

struct ConfigureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "configure",
        abstract: "Print the configuration of a cluster on this machine.")

    @Option(help: "Recall shards.")
    var shards = 4

    @Option(help: "Replicas of each recall shard.")
    var replicas = 1

    @Option(help: "First port.")
    var portBase = 7100

    @Option(help: "Folder for data, snapshots and logs; relative to the file that the output is saved in.")
    var directory = "../run"

    func validate() throws {
        guard (1...256).contains(shards) else { throw ValidationError("--shards: expected 1 to 256, found \(shards)") }
        guard (1...99).contains(replicas) else {
            throw ValidationError("--replicas: expected 1 to 99, found \(replicas)")
        }
        let last = portBase + 100 + shards * replicas
        guard portBase >= 1, last <= 65_535 else {
            throw ValidationError("--port-base: ports \(portBase) to \(last) do not lie in 1...65535")
        }
    }

    func run() {
        print(
            ClusterConfiguration.localYAML(
                shards: shards, replicas: replicas, portBase: portBase, directory: directory), terminator: "")
    }
}

struct ProcessesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "processes",
        abstract: "List the processes of a cluster: name, address and command line, separated by tabs.")

    @Option(help: "The cluster's configuration.")
    var config: String

    func run() throws {
        for member in try ClusterConfiguration(file: config).members {
            let command = ([member.role.rawValue, "--config", config] + member.arguments).joined(separator: " ")
            print("\(member.name)\t\(member.address)\t\(command)")
        }
    }
}
