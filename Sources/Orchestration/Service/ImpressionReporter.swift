import Catalog
import Kernels
import Logging
import Messages
import RPC
import Synchronization

/// Tells the recall shards how often items were shown, summed up over a short while, so that a new item leaves the
/// new-item channel when it has had its guaranteed impressions.
///
/// A report that does not arrive is dropped: the item is then shown a few times more than it was guaranteed.
final class ImpressionReporter: Sendable {
    private struct Pending {
        var counts: [ItemKey: UInt32] = [:]
        var isScheduled = false
    }

    private static let timeout: Duration = .seconds(2)

    /// By shard.
    private let replicas: [[ShardClient]]
    private let interval: Duration
    private let logger: Logger
    private let pending = Mutex(Pending())

    init(replicas: [[ShardClient]], interval: Duration, logger: Logger) {
        self.replicas = replicas
        self.interval = interval
        self.logger = logger
    }

    /// Counts one impression each; they are reported within the interval.
    func add(_ items: [ItemKey]) {
        guard !items.isEmpty, !replicas.isEmpty else { return }
        let isFirst = pending.withLock { pending in
            for item in items where pending.counts[item] != nil || pending.counts.count < RequestLimits.countsMax {
                pending.counts[item, default: 0] += 1
            }
            defer { pending.isScheduled = true }
            return !pending.isScheduled
        }
        guard isFirst else { return }
        Task {
            try? await Task.sleep(for: interval)
            await report()
        }
    }

    private func report() async {
        let counts = pending.withLock { pending in
            defer { pending = Pending() }
            return pending.counts
        }
        var parts = [[(item: UInt64, count: UInt32)]](repeating: [], count: replicas.count)
        for (item, count) in counts.sorted(by: { $0.key < $1.key }) {
            parts[item.shard(of: replicas.count)].append((item.rawValue, count))
        }
        let calls = zip(replicas, parts).filter { !$1.isEmpty }.flatMap { replicas, part in
            let request = CountImpressionsRequest(
                items: SharedBuffer(part.map(\.item)), counts: SharedBuffer(part.map(\.count)))
            return replicas.map { (client: $0.client, request: request) }
        }
        let results = await FanOut.call(
            calls, RecallMethods.countImpressions, options: CallOptions(timeout: Self.timeout))
        for case .failure(let error) in results {
            logger.debug("impressions not reported", metadata: ["error": "\(error.message)"])
        }
    }
}
