/// A reusable set of 64-bit keys: what a search must leave out.
///
/// Open addressing with linear probing in a table at most half full; emptied and filled again for every request without
/// allocating, unless the request is the largest so far. Not thread-safe: one set belongs to one search at a time.
package struct KeySet: ~Copyable {
    private var slots: UnsafeMutableBufferPointer<UInt64>
    /// Key 0 marks an empty slot, so it is remembered here.
    private var containsZero = false
    package private(set) var count = 0

    package init() {
        slots = .allocate(capacity: 64)
        slots.initialize(repeating: 0)
    }

    deinit {
        slots.deallocate()
    }

    /// Empties the set and makes room for `capacity` keys.
    ///
    /// - Complexity: O(capacity of the table in use), no allocation while `capacity` is no larger than ever before.
    package mutating func removeAll(reserving capacity: Int = 0) {
        let wanted = Self.slotCount(for: capacity)
        if wanted > slots.count {
            slots.deallocate()
            slots = .allocate(capacity: wanted)
            slots.initialize(repeating: 0)
        } else if count > 0 {
            slots.update(repeating: 0)
        }
        containsZero = false
        count = 0
    }

    /// - Returns: false when the set had the key already.
    @discardableResult
    package mutating func insert(_ key: UInt64) -> Bool {
        if contains(key) { return false }
        if (count + 1) * 2 > slots.count { grow() }
        if key == 0 { containsZero = true } else { slots[slot(of: key)] = key }
        count += 1
        return true
    }

    @inline(__always)
    package func contains(_ key: UInt64) -> Bool {
        if count == 0 { return false }
        return key == 0 ? containsZero : slots[slot(of: key)] == key
    }

    /// Where `key` is, or the empty slot where it would go.
    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        let mask = slots.count &- 1
        var z = key
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z ^= z >> 29
        var slot = Int(truncatingIfNeeded: z) & mask
        while slots[slot] != 0, slots[slot] != key { slot = (slot &+ 1) & mask }
        return slot
    }

    private mutating func grow() {
        let old = slots
        slots = .allocate(capacity: old.count * 2)
        slots.initialize(repeating: 0)
        for key in old where key != 0 { slots[slot(of: key)] = key }
        old.deallocate()
    }

    private static func slotCount(for capacity: Int) -> Int {
        var count = 64
        while count < capacity * 2 { count *= 2 }
        return count
    }
}
