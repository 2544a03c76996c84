/// The last `capacity` ids seen, as 64-bit hashes in a ring.
struct RememberedIDs {
    private let capacity: Int
    private var ring: [UInt64] = []
    private var oldest = 0
    private var members: Set<UInt64> = []

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    /// - Returns: false when the id is remembered already.
    /// - Complexity: O(1) expected.
    mutating func insert(_ id: UInt64) -> Bool {
        guard members.insert(id).inserted else { return false }
        if ring.count < capacity {
            ring.append(id)
        } else {
            members.remove(ring[oldest])
            ring[oldest] = id
            oldest = (oldest + 1) % capacity
        }
        return true
    }
}
