public import Logging
import Synchronization

/// What a process loads of snapshots, where it keeps it, and how.
public struct SnapshotHostConfiguration: Sendable {
    /// The process's role, for status: `recall-shard`.
    public var role: String
    /// A directory of this process's own.
    public var cacheDirectory: String
    public var filter: ComponentFilter
    /// Manifests must be signed by this key, where one is given.
    public var publicKey: TrustedKey?
    public var fetch = FetchLimits()
    /// Memory that a version takes, as a multiple of its components' bytes: what must be free before it is loaded.
    public var memoryFactor = 1.25
    /// Disk that must stay free beyond what a fetch writes.
    public var diskReserve = 256 << 20
    /// Time between two questions to the source which version is committed.
    public var catchUpInterval: Duration = .seconds(5)
    /// Time that a version left behind by catching up stays loaded, for requests of processes that lag.
    public var retireDelay: Duration = .seconds(30)
    /// Niceness of the loading threads, 0...19.
    public var niceness = 10

    public init(role: String, cacheDirectory: String, filter: ComponentFilter) {
        self.role = role
        self.cacheDirectory = cacheDirectory
        self.filter = filter
    }
}

/// Holds the snapshot versions of one process: the one it serves, and others around a switch.
///
/// Requests read `current` (or `pinned`) once and hold what they got. Fetching, loading, warming up and releasing run on
/// threads of low priority, never on the caller's.
public final class SnapshotHost<Loaded: Sendable>: Sendable {
    let configuration: SnapshotHostConfiguration
    let source: (any SnapshotSource)?
    let cache: NodeCache
    let logger: Logger
    let load: @Sendable (OpenSnapshot) throws -> Loaded
    let warmUp: @Sendable (Loaded) throws -> Void
    let remark: @Sendable (Loaded) -> String?
    /// One thread receives and hashes, two unpack, one waits for the disk; loading uses one.
    let background: BackgroundExecutor
    let state = Mutex(State())
    /// Held over a commit's write to disk and its switch, so that two commits cannot cross.
    let commitLock = Mutex(())

    struct State {
        /// What `current` answers.
        var current: PinnedSnapshot<Loaded>?
        /// What `pinned` finds, the current one included.
        var versions: [String: PinnedSnapshot<Loaded>] = [:]
        /// Found by nobody any more; each goes when its last request lets go.
        var retiring: [String: PinnedSnapshot<Loaded>] = [:]
        var committed: CommittedState?
        var preparation: Preparation?
        /// Why the version that was prepared last was refused, until one is committed.
        var refusal: String?
        /// Why the version wanted by the source, or the one served before, is not served.
        var lapse: String?
        /// Components whose files this process has compared with their hashes.
        var checked: Set<String> = []
    }

    struct Preparation {
        var version: String
        var task: Task<Result<PreparedSnapshot, SnapshotError>, Never>
    }

    /// - Parameters:
    ///   - source: where versions come from; nil serves what is on disk.
    ///   - warmUp: runs once on every loaded value before it can be served.
    ///   - remark: what of the process's configuration a loaded value has no use for, for the log and for status.
    ///   - load: makes of the mapped components what the process serves from.
    public init(
        _ configuration: SnapshotHostConfiguration, source: (any SnapshotSource)?, logger: Logger,
        warmUp: @escaping @Sendable (Loaded) throws -> Void = { _ in },
        remark: @escaping @Sendable (Loaded) -> String? = { _ in nil },
        load: @escaping @Sendable (OpenSnapshot) throws -> Loaded
    ) throws(SnapshotError) {
        self.configuration = configuration
        self.source = source
        self.logger = logger
        self.load = load
        self.warmUp = warmUp
        self.remark = remark
        cache = try NodeCache(directory: configuration.cacheDirectory)
        background = BackgroundExecutor(name: "snapshots", threads: 4, niceness: configuration.niceness)
    }

    /// The version served now; nil before the first commit.
    public var current: PinnedSnapshot<Loaded>? {
        state.withLock { $0.current }
    }

    /// A loaded version by name: what a request carries from the process that chose it.
    public func pinned(_ version: String) -> PinnedSnapshot<Loaded>? {
        state.withLock { state in
            if let current = state.current, current.version == version { return current }
            return state.versions[version]
        }
    }

    /// Every version in memory that requests can find, oldest first.
    public var loadedVersions: [String] {
        state.withLock { $0.versions.keys.sorted() }
    }
}
