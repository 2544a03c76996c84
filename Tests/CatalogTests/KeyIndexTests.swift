import Catalog
import Kernels
import Testing

@Suite struct KeyIndexTests {
    @Test(arguments: [0, 1, 7, 10, 16, 1000, 4097])
    func findsEveryKeyAndNothingElse(count: Int) {
        let keys = (0..<count).map { UInt64($0) * 8 + 3 }
        let index = KeyIndex(SharedBuffer(keys))
        #expect(index.count == count)
        for (row, key) in keys.enumerated() {
            #expect(index.row(of: key) == row)
            #expect(index.row(of: key + 1) == nil)
        }
    }

    /// All keys of one shard agree in the bits that chose the shard, and must still spread over the slots.
    @Test func keysOfOneShardAreFound() {
        let keys = (0..<20_000 as Range<UInt64>).map { ItemKey(rawValue: $0) }.filter { $0.shard(of: 4) == 1 }
        let index = KeyIndex(SharedBuffer(keys))
        #expect(keys.enumerated().allSatisfy { index.row(of: $0.element) == $0.offset })
    }

    @Test func extremeKeysAreKeys() {
        let index = KeyIndex([0, UInt64.max, 1 << 63] as SharedBuffer<UInt64>)
        #expect(index.row(of: 0 as UInt64) == 0)
        #expect(index.row(of: UInt64.max) == 1)
        #expect(index.row(of: 1 << 63 as UInt64) == 2)
    }

    @Test func theFirstOfEqualKeysCounts() {
        var index = KeyIndex([5, 9, 5] as SharedBuffer<UInt64>)
        #expect(index.row(of: 5 as UInt64) == 0)
        #expect(index.count == 2)
        #expect(index.insert(9, row: 40) == 1)
        #expect(index.insert(10, row: 40) == nil)
        #expect(index.row(of: 10 as UInt64) == 40)
    }

    @Test func batchesTellWhatIsMissing() {
        let index = KeyIndex([100, 200, 300] as SharedBuffer<UInt64>)
        var rows: [UInt32] = [7, 7, 7, 7, 7]
        let missing = index.rows(of: [300, 1, 100] as SharedBuffer<UInt64>, into: &rows)
        #expect(missing == 1)
        #expect(rows == [2, KeyIndex.missing, 0])
    }
}
