public import Kernels

/// Rows by 64-bit key: a hash table with open addressing and linear probing (Knuth, TAOCP 6.4, algorithm L).
///
/// Key and row share a 16-byte slot, so that a lookup mostly costs one cache miss; slots are at most 5/8 full.
public struct KeyIndex: Sendable {
    /// What batch lookups write for a key that is not in the index.
    public static let missing = UInt32.max

    private struct Slot: BitwiseCopyable {
        var key: UInt64 = 0
        /// The row plus one; 0 marks a free slot.
        var position: UInt32 = 0
        /// What the owner of the index keeps beside the row, within the same cache line.
        var tag: UInt32 = 0
    }

    public private(set) var count = 0
    private var slots: [Slot]
    /// Places are the high bits of the mixed key: the low bits choose a shard, and are all alike within one.
    private var shift: UInt64

    /// An empty index with room for `capacity` keys before it grows.
    public init(capacity: Int = 0) {
        let size = Self.size(for: capacity)
        slots = [Slot](repeating: Slot(), count: size)
        shift = UInt64(64 - size.trailingZeroBitCount)
    }

    /// Maps each key to its position. Of equal keys the first counts.
    ///
    /// - Complexity: O(n) expected.
    public init(_ keys: SharedBuffer<UInt64>) {
        self.init(capacity: keys.count)
        keys.withUnsafeBufferPointer { keys in
            for row in keys.indices { _ = insert(keys[row], row: UInt32(truncatingIfNeeded: row)) }
        }
    }

    public init(_ keys: SharedBuffer<ItemKey>) {
        self.init(keys.reinterpreted(as: UInt64.self))
    }

    public init(_ keys: SharedBuffer<UserKey>) {
        self.init(keys.reinterpreted(as: UInt64.self))
    }

    /// Maps `key` to `row` unless it has a row already, and returns the row it had.
    ///
    /// - Complexity: O(1) expected, amortised over growth.
    public mutating func insert(_ key: UInt64, row: UInt32) -> UInt32? {
        insert(key, row: row, tag: 0)
    }

    mutating func insert(_ key: UInt64, row: UInt32, tag: UInt32) -> UInt32? {
        precondition(row != Self.missing, "row is the mark of a missing key")
        if (count + 1) * 8 > slots.count * 5 { grow() }
        let place = place(of: key)
        if slots[place].position != 0 { return slots[place].position - 1 }
        slots[place] = Slot(key: key, position: row + 1, tag: tag)
        count += 1
        return nil
    }

    /// The row of `key`.
    ///
    /// - Complexity: O(1) expected.
    public func row(of key: UInt64) -> Int? {
        let position = slots[place(of: key)].position
        return position == 0 ? nil : Int(position) - 1
    }

    /// The row of `key` and the tag it was inserted with.
    @inline(__always)
    func entry(of key: UInt64) -> (row: UInt32, tag: UInt32)? {
        let slot = slots[place(of: key)]
        return slot.position == 0 ? nil : (slot.position - 1, slot.tag)
    }

    public func row(of key: ItemKey) -> Int? { row(of: key.rawValue) }
    public func row(of key: UserKey) -> Int? { row(of: key.rawValue) }

    /// Replaces `rows` with the row of each key, or ``missing``; allocates nothing once `rows` has the capacity.
    ///
    /// - Returns: how many keys are missing.
    /// - Complexity: O(n) expected.
    @discardableResult
    public func rows(of keys: SharedBuffer<UInt64>, into rows: inout [UInt32]) -> Int {
        rows.removeAll(keepingCapacity: true)
        rows.reserveCapacity(keys.count)
        var missing = 0
        keys.withUnsafeBufferPointer { keys in
            for (index, key) in keys.enumerated() {
                if index + Self.keysAhead < keys.count { prefetch(keys[index + Self.keysAhead]) }
                let position = slots[place(of: key)].position
                missing += position == 0 ? 1 : 0
                rows.append(position &- 1)
            }
        }
        return missing
    }

    @discardableResult
    public func rows(of keys: SharedBuffer<ItemKey>, into rows: inout [UInt32]) -> Int {
        self.rows(of: keys.reinterpreted(as: UInt64.self), into: &rows)
    }

    /// Keys whose slots are asked for ahead of their use: memory takes about as long as so many lookups.
    private static let keysAhead = 12

    private func prefetch(_ key: UInt64) {
        slots.withUnsafeBufferPointer { slots in
            guard let base = slots.baseAddress else { return }
            let slot = base + Int(truncatingIfNeeded: PublicID.mixed(key) >> shift)
            UnsafeRawPointer(slot).withMemoryRebound(to: Float.self, capacity: 1) { kernels.prefetch($0, count: 1) }
        }
    }

    /// The slot that holds `key`, else the free one where it belongs.
    private func place(of key: UInt64) -> Int {
        let last = slots.count - 1
        var place = Int(truncatingIfNeeded: PublicID.mixed(key) >> shift)
        while slots[place].position != 0, slots[place].key != key { place = (place + 1) & last }
        return place
    }

    private mutating func grow() {
        var larger = KeyIndex(capacity: slots.count)
        for slot in slots where slot.position != 0 {
            _ = larger.insert(slot.key, row: slot.position - 1, tag: slot.tag)
        }
        self = larger
    }

    /// The smallest power of two, at least 16, of which `capacity` keys fill at most 5/8.
    private static func size(for capacity: Int) -> Int {
        var size = 16
        while size * 5 < capacity * 8 { size *= 2 }
        return size
    }
}
