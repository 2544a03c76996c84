import Kernels
import Recall
import Testing

@Suite struct ChannelMergeTests {
    private func result(_ pairs: [(UInt64, Float)], error: String = "", milliseconds: Int = 1) -> ChannelResult {
        ChannelResult(
            channel: "c", candidates: Candidates(items: keys(pairs.map(\.0)), scores: SharedBuffer(pairs.map(\.1))),
            error: error, duration: .milliseconds(milliseconds))
    }

    @Test(arguments: [(0, []), (1, [9]), (4, [9, 2, 3, 5]), (Int.max, [9, 2, 3, 5, 1, 4]), (-1, [])])
    func theBestOfAllShardsWithTiesByKey(limit: Int, expected: [UInt64]) {
        let shards = [
            result([(3, 2), (5, 2), (4, -1)], milliseconds: 4), result([]), result([(9, 3), (2, 2), (1, 0.5)]),
        ]
        let merged = ChannelMerge.merge(shards, channel: "c", limit: limit)
        #expect(merged.candidates.keys == expected)
        #expect(merged.error.isEmpty)
        #expect(merged.duration == .milliseconds(4))
    }

    @Test func failedShardsAreCounted() {
        let shards = [result([(1, 1)]), result([], error: "no disk"), result([], error: "no memory")]
        let merged = ChannelMerge.merge(shards, channel: "c", limit: 5)
        #expect(merged.candidates.keys == [1])
        #expect(merged.error == "2 of 3 shards failed: no disk")
    }

    @Test func noShardsGiveNothing() {
        #expect(ChannelMerge.merge([], channel: "c", limit: 5) == ChannelResult(channel: "c"))
    }
}
