import Catalog
import Evaluation
import Kernels
import Recall

/// Sums over users of what channels found.
struct RecallTally {
    private var channels: [Channel]
    /// By depth: the share that some channel has among its first.
    private var union = [Double](repeating: 0, count: RecallFigures.depths.count)
    private var unionCandidates = 0.0
    private var users = 0
    private var relevant = 0
    private var relevantHead = 0

    fileprivate struct Channel {
        var atDepth = [RecallFigures.AtDepth](repeating: .init(), count: RecallFigures.depths.count)
        var candidates = 0.0
        /// Items, and bits of self-information, among the first ``RecallFigures/depth``.
        var offered = 0
        var bits = 0.0
        var foundHead = 0
        var foundTail = 0
        /// Share of a user's relevant items that no other channel finds, summed.
        var alone = 0.0
    }

    init(channels count: Int) {
        channels = Array(repeating: Channel(), count: count)
    }

    /// - Parameter offered: by channel, gets the first ``RecallFigures/depth`` candidates.
    mutating func add(
        _ results: [ChannelResult], _ task: RecallTask, catalogue: CatalogueFigures, index: KeyIndex,
        offered: inout [ItemSet]
    ) {
        users += 1
        relevant += task.relevant.count
        relevantHead += task.relevant.count { catalogue.isHead[Int($0)] }
        let depth = RecallFigures.depth
        /// By relevant item: its best place in any channel, and the channels that have it among their first.
        var best = [Int](repeating: .max, count: task.relevant.count)
        var finders = [Int](repeating: 0, count: task.relevant.count)
        var last = [Int](repeating: -1, count: task.relevant.count)
        var all: Set<UInt32> = []
        for (channel, result) in results.enumerated() {
            var hits: [Int] = []
            for (place, key) in result.candidates.items.enumerated() {
                guard let row = index.row(of: key) else { continue }
                if place < depth {
                    offered[channel].insert(row)
                    all.insert(UInt32(row))
                    channels[channel].offered += 1
                    channels[channel].bits += catalogue.selfInformation[row]
                }
                guard let target = task.relevant.ascendingIndex(of: UInt32(row)) else { continue }
                hits.append(place)
                best[target] = min(best[target], place)
                guard place < depth else { continue }
                finders[target] += 1
                last[target] = channel
                if catalogue.isHead[row] { channels[channel].foundHead += 1 } else { channels[channel].foundTail += 1 }
            }
            channels[channel].candidates += Double(result.candidates.count)
            for (slot, k) in RecallFigures.depths.enumerated() {
                channels[channel].atDepth[slot].add(hits, relevant: task.relevant.count, at: k)
            }
        }
        for (slot, k) in RecallFigures.depths.enumerated() {
            union[slot] += Double(best.count { $0 < k }) / Double(best.count)
        }
        unionCandidates += Double(all.count)
        for target in finders.indices where finders[target] == 1 {
            channels[last[target]].alone += 1 / Double(task.relevant.count)
        }
    }

    mutating func add(_ other: RecallTally) {
        for channel in channels.indices { channels[channel].add(other.channels[channel]) }
        for slot in union.indices { union[slot] += other.union[slot] }
        unionCandidates += other.unionCandidates
        users += other.users
        relevant += other.relevant
        relevantHead += other.relevantHead
    }

    func figures(_ names: [String], coverage: [Double], catalogue: CatalogueFigures) -> RecallFigures {
        let users = Double(self.users)
        let relevantTail = relevant - relevantHead
        return RecallFigures(
            users: self.users, itemsPerUser: Double(relevant) / users, headItems: catalogue.headItems,
            headShare: Double(relevantHead) / Double(relevant),
            channels: zip(names, channels).enumerated().map { place, entry in
                let (name, sums) = entry
                return ChannelFigures(
                    channel: name, atDepth: sums.atDepth.map { $0.scaled(by: 1 / users) },
                    candidates: sums.candidates / users, coverage: coverage[place],
                    novelty: sums.offered > 0 ? sums.bits / Double(sums.offered) : nil,
                    headRecall: relevantHead > 0 ? Double(sums.foundHead) / Double(relevantHead) : nil,
                    tailRecall: relevantTail > 0 ? Double(sums.foundTail) / Double(relevantTail) : nil,
                    alone: sums.alone / users)
            },
            union: zip(RecallFigures.depths, union).map { .init(depth: $0, recall: $1 / users) },
            unionCandidates: unionCandidates / users)
    }
}

extension RecallTally.Channel {
    fileprivate mutating func add(_ other: Self) {
        for slot in atDepth.indices { atDepth[slot].add(other.atDepth[slot]) }
        candidates += other.candidates
        offered += other.offered
        bits += other.bits
        foundHead += other.foundHead
        foundTail += other.foundTail
        alone += other.alone
    }
}

extension RecallFigures.AtDepth {
    fileprivate mutating func add(_ hits: [Int], relevant: Int, at k: Int) {
        depth = k
        recall += RetrievalMetrics.recall(hits: hits, relevant: relevant, at: k)
        hitRate += RetrievalMetrics.hitRate(hits: hits, at: k)
        precision += RetrievalMetrics.precision(hits: hits, at: k)
        normalizedGain += RetrievalMetrics.normalizedGain(hits: hits, relevant: relevant, at: k)
        averagePrecision += RetrievalMetrics.averagePrecision(hits: hits, relevant: relevant, at: k)
    }

    fileprivate mutating func add(_ other: Self) {
        depth = max(depth, other.depth)
        recall += other.recall
        hitRate += other.hitRate
        precision += other.precision
        normalizedGain += other.normalizedGain
        averagePrecision += other.averagePrecision
    }

    fileprivate func scaled(by factor: Double) -> Self {
        Self(
            depth: depth, recall: recall * factor, hitRate: hitRate * factor, precision: precision * factor,
            normalizedGain: normalizedGain * factor, averagePrecision: averagePrecision * factor)
    }
}
