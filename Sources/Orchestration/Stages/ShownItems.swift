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

    /// The channels with the limits that are asked for.
    func widened(_ channels: [ChannelRequest], exceptKnown known: Int) -> [ChannelRequest] {
        let older = max(exposures.count - known, 0)
        guard older > 0 else { return channels }
        return channels.map { channel in
            var channel = channel
            channel.limit += min(older, channel.limit)
            return channel
        }
    }

    /// What of the channels' candidates may be shown, each channel cut to its limit, and what may not, ascending.
    ///
    /// - Parameter limits: what each channel shall give.
    /// - Complexity: O(candidates * days).
    func cut(_ channels: [Recall.ChannelResult], to limits: [Int]) -> (kept: [Recall.ChannelResult], shown: [ItemKey]) {
        guard exposures.count > 0 else { return (channels, []) }
        var known: [ItemKey: Bool] = [:]
        func isShown(_ item: ItemKey) -> Bool {
            if let answer = known[item] { return answer }
            let answer = exposures.contains(item, now: now)
            known[item] = answer
            return answer
        }
        let kept = zip(channels, limits).map { channel, limit in
            let candidates = channel.candidates
            let rows = candidates.items.indices.filter { !isShown(candidates.items[$0]) }.prefix(limit)
            var kept = channel
            kept.candidates = Candidates(
                items: SharedBuffer(rows.map { candidates.items[$0] }),
                scores: SharedBuffer(rows.map { candidates.scores[$0] }))
            return kept
        }
        return (kept, known.filter(\.value).keys.sorted())
    }
}
