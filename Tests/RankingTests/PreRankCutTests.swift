import Kernels
import Ranking
import Testing

@Suite struct PreRankCutTests {
    /// What comes through, by places in `found` and `categories`; candidates are in order already.
    private func cut(
        _ cut: PreRankCut, found: [UInt64] = [], categories: [UInt32], with quotas: inout QuotaCut
    ) -> [Int] {
        let order = (0..<UInt32(categories.count)).map { $0 }
        quotas.make(cut, order: order, found: found, categories: categories)
        return quotas.kept.map(Int.init)
    }

    private func cut(_ wanted: PreRankCut, found: [UInt64] = [], categories: [UInt32]? = nil, count: Int) -> [Int] {
        var quotas = QuotaCut()
        return cut(
            wanted, found: found, categories: categories ?? Array(repeating: 0, count: count), with: &quotas)
    }

    @Test func withoutQuotasTheBestComeThrough() {
        #expect(cut(PreRankCut(keep: 3), count: 5) == [0, 1, 2])
        #expect(cut(PreRankCut(keep: 9), count: 5) == [0, 1, 2, 3, 4])
        #expect(cut(PreRankCut(keep: 0), count: 3) == [0, 1, 2])
        #expect(cut(PreRankCut(keep: 3), count: 0) == [])
    }

    /// Channel 0 found the best six, channel 1 the last two: its best comes in for the fourth.
    @Test func aChannelGetsItsMinimum() {
        let found: [UInt64] = [1, 1, 1, 1, 1, 1, 2, 2]
        #expect(cut(PreRankCut(keep: 4, channelMinimum: 1), found: found, count: 8) == [0, 1, 2, 6])
        #expect(cut(PreRankCut(keep: 4, channelMinimum: 2), found: found, count: 8) == [0, 1, 6, 7])
        // It has no third.
        #expect(cut(PreRankCut(keep: 5, channelMinimum: 3), found: found, count: 8) == [0, 1, 2, 6, 7])
    }

    /// The second is of both channels: nothing else need come in for channel 1.
    @Test func aCandidateCountsForEveryChannelThatFoundIt() {
        #expect(cut(PreRankCut(keep: 2, channelMinimum: 1), found: [1, 3, 1, 2], count: 4) == [0, 1])
    }

    /// Three channels of two each do not fit into four: each gets its best, and the best of the seconds is channel 0's.
    @Test func minimumsThatDoNotFitAreMetEvenly() {
        let found: [UInt64] = [1, 1, 1, 2, 2, 4, 4]
        #expect(cut(PreRankCut(keep: 4, channelMinimum: 2), found: found, count: 7) == [0, 1, 3, 5])
        #expect(cut(PreRankCut(keep: 2, channelMinimum: 2), found: found, count: 7) == [0, 3])
    }

    /// Category 7 has one among the best already; 8 gets its best; the unknown category is none.
    @Test func aCategoryGetsItsMinimum() {
        let categories: [UInt32] = [7, 7, 7, 0, 8, 8, 0]
        #expect(cut(PreRankCut(keep: 3, categoryMinimum: 1), categories: categories, count: 7) == [0, 1, 4])
        #expect(cut(PreRankCut(keep: 4, categoryMinimum: 2), categories: categories, count: 7) == [0, 1, 4, 5])
    }

    /// What channels bring in counts for its category.
    @Test func channelsComeBeforeCategories() {
        let found: [UInt64] = [1, 1, 1, 2, 1]
        let categories: [UInt32] = [7, 7, 7, 8, 8]
        let wanted = PreRankCut(keep: 3, channelMinimum: 1, categoryMinimum: 1)
        #expect(cut(wanted, found: found, categories: categories, count: 5) == [0, 1, 3])
    }

    @Test func whatCameThroughIsCountedByChannel() {
        var quotas = QuotaCut()
        _ = cut(PreRankCut(keep: 3), found: [1, 3, 2, 2], categories: [0, 0, 0, 0], with: &quotas)
        #expect(Array(quotas.keptByChannel.prefix(3)) == [2, 2, 0])
    }

    /// Any candidates: exactly so many come through, in order; every group has its minimum when all minimums fit; who came
    /// through without being among the first of a group is better than everyone who did not.
    @Test(arguments: 0..<200)
    func whatMustHold(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let count = 1 + Int(generator.next() % 120)
        let channels = 1 + Int(generator.next() % 6)
        // The first channels find most.
        var found: [UInt64] = []
        for _ in 0..<count {
            var bits: UInt64 = 0
            for channel in 0..<channels where generator.next() % UInt64(1 + 2 * channel) == 0 {
                bits |= 1 << UInt64(channel)
            }
            found.append(bits)
        }
        let categories = (0..<count).map { _ in UInt32(generator.next() % 7) }
        let wanted = PreRankCut(
            keep: 1 + Int(generator.next() % 100), channelMinimum: Int(generator.next() % 8),
            categoryMinimum: Int(generator.next() % 4))
        let kept = cut(wanted, found: found, categories: categories, count: count)
        #expect(kept.count == min(wanted.keep, count) && zip(kept, kept.dropFirst()).allSatisfy { $0 < $1 })
        let isKept = Set(kept)
        let byChannel = (0..<channels).map { channel in (0..<count).filter { found[$0] >> UInt64(channel) & 1 == 1 } }
        let byCategory = (1...6).map { category in (0..<count).filter { categories[$0] == category } }
        let needed = byChannel.count * wanted.channelMinimum + byCategory.count * wanted.categoryMinimum
        var reserved: Set<Int> = []
        for group in byChannel {
            let own = group.filter(isKept.contains)
            if needed <= wanted.keep { #expect(own.count >= min(wanted.channelMinimum, group.count)) }
            reserved.formUnion(group.prefix(wanted.channelMinimum))
        }
        let channelsFit = reserved.count <= kept.count
        for group in byCategory {
            let own = group.filter(isKept.contains)
            if needed <= wanted.keep { #expect(own.count >= min(wanted.categoryMinimum, group.count)) }
            // The best that channels had not brought in.
            let missing = max(0, wanted.categoryMinimum - group.count { reserved.contains($0) })
            reserved.formUnion(group.filter { !reserved.contains($0) }.prefix(missing))
        }
        guard channelsFit, reserved.count <= kept.count else { return }
        #expect(reserved.isSubset(of: isKept))
        let left = (0..<count).filter { !isKept.contains($0) }
        if let best = left.first, let worst = kept.last(where: { !reserved.contains($0) }) { #expect(worst < best) }
    }
}
