/// Counts of a user's recent touches by category, author or item: a hash table of fixed size that is cleared for each
/// request instead of allocated.
struct RecentCounts: Sendable {
    struct Entry: Sendable {
        var clicks: Float = 0
        var others: Float = 0
        var lastClickMilliseconds = Int64.min
        /// What the counts come to, once all touches are in.
        var affinity: Float = 0
        var recency: Float = 0
        var logClicks: Float = 0
        var logTouches: Float = 0
    }

    /// More than twice `UserState.recentMax`, so that probes stay short.
    private static let slots = 512
    private static let vacant = UInt32.max
    private var keys = [UInt32](repeating: vacant, count: slots)
    private var entries = [Entry](repeating: Entry(), count: slots)
    private var used: [Int] = []
    /// Of a key that was not met.
    private(set) var absent = Entry()

    mutating func removeAll() {
        for slot in used { keys[slot] = Self.vacant }
        used.removeAll(keepingCapacity: true)
    }

    /// Completes every entry when all touches are in.
    mutating func complete(_ derive: (inout Entry) -> Void) {
        for slot in used { derive(&entries[slot]) }
        absent = Entry()
        derive(&absent)
    }

    mutating func add(_ key: UInt32, isClick: Bool, milliseconds: Int64) {
        let slot = slot(of: key)
        if keys[slot] == Self.vacant {
            keys[slot] = key
            used.append(slot)
            entries[slot] = Entry()
        }
        if isClick {
            entries[slot].clicks += 1
            entries[slot].lastClickMilliseconds = max(entries[slot].lastClickMilliseconds, milliseconds)
        } else {
            entries[slot].others += 1
        }
    }

    /// - Complexity: O(1).
    subscript(key: UInt32) -> Entry {
        let slot = slot(of: key)
        return keys[slot] == Self.vacant ? absent : entries[slot]
    }

    private func slot(of key: UInt32) -> Int {
        var slot = Int((key &* 0x9E37_79B1) >> 23)
        while keys[slot] != key, keys[slot] != Self.vacant { slot = (slot + 1) & (Self.slots - 1) }
        return slot
    }
}
