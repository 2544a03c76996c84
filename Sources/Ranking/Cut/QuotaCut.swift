/// Makes the cut; keeps its memory.
///
/// First every channel gets its minimum, of its best candidates. Then every category is filled up to its minimum with its
/// best that are left, and the rest of the places go to the best of all. A candidate of several channels counts for each.
/// Minimums that do not fit are met evenly: the best candidate of every channel, then the second best, and so on.
package struct QuotaCut {
    package init() {}

    /// By candidate.
    private var isKept: [Bool] = []
    /// Candidates of a channel, or of a category, that were met so far.
    private var channelCounts = [UInt32](repeating: 0, count: PreRankCut.channelsMax)
    private var categoryCounts: [UInt32] = []
    /// Places in the order, with the level at which each would be taken: 1 for a group's best, 2 for its second.
    private var reserved: [(level: UInt32, candidate: UInt32)] = []
    private var count = 0
    /// What came through, best first.
    package private(set) var kept: [UInt32] = []
    /// By channel, how many came through.
    package private(set) var keptByChannel: [UInt32] = []

    /// - Parameters:
    ///   - order: candidates, best first: places in `found` and `categories`.
    ///   - found: by candidate, the channels that found it; empty when it is not known.
    ///   - categories: by candidate; 0 is unknown.
    /// - Complexity: O(n); O(n minimum) when the minimums do not fit.
    package mutating func make(_ cut: PreRankCut, order: [UInt32], found: [UInt64], categories: [UInt32]) {
        let limit = cut.keep > 0 ? min(cut.keep, order.count) : order.count
        reset(order.count)
        if limit < order.count {
            if cut.channelMinimum > 0, !found.isEmpty { reserveChannels(cut.channelMinimum, order, found, limit) }
            if cut.categoryMinimum > 0 { reserveCategories(cut.categoryMinimum, order, categories, limit) }
        }
        for candidate in order where count < limit && !isKept[Int(candidate)] { keep(candidate) }
        for candidate in order where isKept[Int(candidate)] { kept.append(candidate) }
        countChannels(found)
    }

    private mutating func reset(_ candidates: Int) {
        isKept.removeAll(keepingCapacity: true)
        isKept.append(contentsOf: repeatElement(false, count: candidates))
        kept.removeAll(keepingCapacity: true)
        count = 0
    }

    private mutating func keep(_ candidate: UInt32) {
        isKept[Int(candidate)] = true
        count += 1
    }

    private mutating func reserveChannels(_ minimum: Int, _ order: [UInt32], _ found: [UInt64], _ limit: Int) {
        for channel in channelCounts.indices { channelCounts[channel] = 0 }
        reserved.removeAll(keepingCapacity: true)
        for candidate in order {
            var bits = found[Int(candidate)]
            var level = UInt32.max
            while bits != 0 {
                let channel = bits.trailingZeroBitCount
                channelCounts[channel] += 1
                level = min(level, channelCounts[channel])
                bits &= bits - 1
            }
            if level <= minimum { reserved.append((level, candidate)) }
        }
        takeReserved(minimum, limit)
    }

    private mutating func reserveCategories(_ minimum: Int, _ order: [UInt32], _ categories: [UInt32], _ limit: Int) {
        let size = Int(categories.max() ?? 0) + 1
        if categoryCounts.count < size {
            categoryCounts.append(contentsOf: repeatElement(0, count: size - categoryCounts.count))
        }
        for category in categories { categoryCounts[Int(category)] = 0 }
        for candidate in order where isKept[Int(candidate)] { categoryCounts[Int(categories[Int(candidate)])] += 1 }
        reserved.removeAll(keepingCapacity: true)
        for candidate in order where !isKept[Int(candidate)] {
            let category = Int(categories[Int(candidate)])
            guard category != 0 else { continue }
            categoryCounts[category] += 1
            if categoryCounts[category] <= minimum { reserved.append((categoryCounts[category], candidate)) }
        }
        takeReserved(minimum, limit)
    }

    /// Keeps what is reserved: all of it when it fits, else level by level, within a level the best.
    private mutating func takeReserved(_ minimum: Int, _ limit: Int) {
        guard reserved.count > limit - count else {
            for entry in reserved { keep(entry.candidate) }
            return
        }
        for level in 1...UInt32(minimum) {
            for entry in reserved where entry.level == level {
                guard count < limit else { return }
                keep(entry.candidate)
            }
        }
    }

    private mutating func countChannels(_ found: [UInt64]) {
        keptByChannel.removeAll(keepingCapacity: true)
        keptByChannel.append(contentsOf: repeatElement(0, count: PreRankCut.channelsMax))
        guard !found.isEmpty else { return }
        for candidate in kept {
            var bits = found[Int(candidate)]
            while bits != 0 {
                keptByChannel[bits.trailingZeroBitCount] += 1
                bits &= bits - 1
            }
        }
    }
}
