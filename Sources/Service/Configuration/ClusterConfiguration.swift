public import Models

/// What one YAML file says of a cluster: its processes, their addresses, the sizes of the funnel, the deadlines.
///
/// The same file with other addresses describes a cluster of many machines. Reading it is
/// ``ConfigurationReader``'s business; the values here are already validated.
public struct ClusterConfiguration: Sendable, Hashable {
    public var name: String
    /// Where data, snapshots, logs and each process's own files live; absolute.
    public var directory: String
    public var snapshotServer: String
    /// The folder that published snapshots lie in; absolute.
    public var store: String
    /// PEM file of the key that snapshots must be signed with; absolute. Nil: they need no signature.
    public var publicKey: String?
    /// Addresses by shard, then by replica; every shard has at least one.
    public var recallShards: [[String]]
    public var rankers: [String]
    public var orchestrators: [String]
    public var funnel: FunnelConfiguration
    public var deadlines: DeadlineConfiguration
    public var tls: TLSConfiguration?
}

/// How many candidates each stage passes on.
public struct FunnelConfiguration: Sendable, Hashable {
    /// Items of a page when the request does not say, 1...500.
    public var pageSize = 20
    /// Candidates per recall channel, 1...1,000 each; a channel that is not named is off.
    public var channels: [String: Int] = [
        "two-tower": 300, "itemcf": 100, "swing": 100, "usercf": 100, "als": 100, "sequence": 100, "popular": 100,
        "newest": 50, "followed-author": 100, "author": 50, "similar-author": 50, "place": 50, "city": 50,
        "new-item": 50, "cache": 50,
    ]
    public var preRank = PreRankConfiguration()
    /// Candidates the ranker returns at most, 1...2,000.
    public var rankLimit = 500
    /// What the ranking model's predictions become; nil for the standard formula, as far as the model has its heads.
    public var fusion: FusionSpecification?
    /// Places of a page for new items that have not had their guaranteed impressions, 0...20.
    public var newItemPlaces = 1
    /// Whether orchestrators log candidates that ranking rejected, each into a file of its own; nil: they do not.
    public var rejectedLog: RejectedLogSizes?

    public init() {}
}

/// How much is logged of candidates that ranking rejected.
public struct RejectedLogSizes: Sendable, Hashable {
    /// Candidates of a page, 1...100.
    public var perPage = 4
    /// Size of the file, 1...65,536; there is one more of it, the one before.
    public var megabytes = 64

    public init() {}
}

/// What the pre-ranker lets through to the ranker.
public struct PreRankConfiguration: Sendable, Hashable {
    /// Candidates in all, 1...2,000.
    public var keep = 500
    /// Of each recall channel, as far as it found so many; those of all channels fit into `keep`.
    public var channelMinimum = 10
    /// Of each category, as far as there are so many.
    public var categoryMinimum = 1

    public init() {}
}

/// How long stages may take, in milliseconds. A caller's own deadline, when shorter, holds.
public struct DeadlineConfiguration: Sendable, Hashable {
    /// The whole request when the caller sets no deadline.
    public var request = 200
    /// Waiting for the recall shards.
    public var recall = 80
    /// Waiting for the ranker.
    public var rank = 100

    public init() {}
}

/// Certificates by which processes know each other. With `clientAuthority`, callers must show one too.
public struct TLSConfiguration: Sendable, Hashable {
    /// PEM files; absolute paths.
    public var certificate: String
    public var key: String
    /// Signs the servers' certificates.
    public var authority: String
    /// Signs the callers' certificates; nil: callers need none.
    public var clientAuthority: String?
}

extension ClusterConfiguration {
    /// One process of the cluster.
    public struct Member: Sendable, Hashable {
        public enum Role: String, Sendable, CaseIterable {
            case snapshotServer = "snapshot-server"
            case recallShard = "recall-shard"
            case ranker
            case orchestrator
        }

        public var role: Role
        /// The shard of a recall shard, 0 otherwise.
        public var shard: Int
        public var replica: Int
        public var address: String

        /// `recall-shard-0-1`, `ranker-0`, `snapshot-server`: names its log, its pid file and its folder.
        public var name: String {
            switch role {
            case .snapshotServer: role.rawValue
            case .recallShard: "\(role.rawValue)-\(shard)-\(replica)"
            case .ranker, .orchestrator: "\(role.rawValue)-\(replica)"
            }
        }

        /// What to pass to the role's executable beside `--config`.
        public var arguments: [String] {
            switch role {
            case .snapshotServer: []
            case .recallShard: ["--shard", "\(shard)", "--replica", "\(replica)"]
            case .ranker, .orchestrator: ["--replica", "\(replica)"]
            }
        }
    }

    /// Every process, in the order in which they are best started.
    public var members: [Member] {
        var members = [Member(role: .snapshotServer, shard: 0, replica: 0, address: snapshotServer)]
        for (shard, addresses) in recallShards.enumerated() {
            for (replica, address) in addresses.enumerated() {
                members.append(Member(role: .recallShard, shard: shard, replica: replica, address: address))
            }
        }
        for (replica, address) in rankers.enumerated() {
            members.append(Member(role: .ranker, shard: 0, replica: replica, address: address))
        }
        for (replica, address) in orchestrators.enumerated() {
            members.append(Member(role: .orchestrator, shard: 0, replica: replica, address: address))
        }
        return members
    }

    /// The process with this role and place, or an error that says which there are.
    public func member(_ role: Member.Role, shard: Int = 0, replica: Int = 0) throws(ConfigurationError) -> Member {
        for member in members where member.role == role && member.shard == shard && member.replica == replica {
            return member
        }
        let known = members.filter { $0.role == role }.map(\.name).joined(separator: ", ")
        let wanted = Member(role: role, shard: shard, replica: replica, address: "").name
        throw ConfigurationError(place: name, message: "has no \(wanted); it has \(known)")
    }

    /// The folder for a process's own files.
    public func directory(of member: Member) -> String {
        "\(directory)/nodes/\(member.name)"
    }

    /// The file in which an orchestrator logs candidates that ranking rejected.
    public func rejectedLog(of member: Member) -> String { "\(directory(of: member))/rejected.csv" }
}

/// Why a configuration cannot be used: where, what was expected, what was found.
public struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    /// File and line, or the name of the configuration.
    public var place: String
    public var message: String

    public init(place: String, message: String) {
        self.place = place
        self.message = message
    }

    public var description: String { "\(place): \(message)" }
}
