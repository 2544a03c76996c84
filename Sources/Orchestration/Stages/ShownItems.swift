import Catalog
import FeatureStore
import Kernels
import Recall

/// Keeps what was shown inside the window out of what recall found.
///
/// The shards are told the last pages by key. What was shown before that is known to a filter only, which is asked about
/// each candidate here, where all shards' answers meet: channels are asked for more than they shall give, and one that
/// found enough gives what it would have given, had it known every shown item by key.
struct ShownItems {
    let exposures: ExposureFilter
    let now: Int64
    /// Shown items that the shards are not told of, about.
    let older: Int

    /// Candidates that a channel is asked for at most; what a shard gives.
    private static let limitMax = 10_000

    init(_ view: UserView, now: Int64) {
        exposures = view.exposures
        older = view.unnamedCount
        self.now = now
    }

    /// The channels with the limits that are asked for: for twice as many candidates at first, for eight times as many when
    /// that was not enough, and so on, but never for more than there are shown items to go past.
    ///
    /// - Parameter round: from 1.
    func widened(_ channels: [ChannelRequest], round: Int) -> [ChannelRequest] {
        guard older > 0 else { return channels }
        let factor = 1 << (2 * round - 1)
        return channels.map { channel in
            var channel = channel
            let limit = min(channel.limit + older, channel.limit * factor)
            channel.limit = max(channel.limit, min(limit, Self.limitMax))
            return channel
        }
    }

    /// What of the channels' candidates may be shown, each channel cut to its limit, and what may not, ascending.
    ///
    /// - Parameter limits: what each channel shall give.
    /// - Complexity: O(candidates * days).
    func cut(_ channels: [Recall.ChannelResult], to limits: [Int]) -> (kept: [Recall.ChannelResult], shown: [ItemKey]) {
        guard exposures.count > 0 else { return (channels, []) }
        var shown: Set<ItemKey> = []
        let kept = zip(channels, limits).map { channel, limit in
            var (items, scores) = ([ItemKey](), [Float]())
            for (item, score) in zip(channel.candidates.items, channel.candidates.scores) where items.count < limit {
                if exposures.contains(item, now: now) {
                    shown.insert(item)
                } else {
                    items.append(item)
                    scores.append(score)
                }
            }
            var kept = channel
            kept.candidates = Candidates(items: SharedBuffer(items), scores: SharedBuffer(scores))
            return kept
        }
        return (kept, shown.sorted())
    }
}
