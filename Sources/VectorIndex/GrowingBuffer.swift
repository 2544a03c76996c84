/// Memory that a search writes to: grows to the largest size ever asked for, keeps no contents while it grows.
struct GrowingBuffer<Element: BitwiseCopyable>: ~Copyable {
    private var memory: UnsafeMutableBufferPointer<Element>

    init() {
        memory = .allocate(capacity: 0)
    }

    deinit {
        memory.deallocate()
    }

    /// - Returns: room for `count` elements.
    /// - Complexity: O(1), an allocation only when `count` is the largest so far.
    mutating func room(_ count: Int) -> UnsafeMutablePointer<Element> {
        if count > memory.count || memory.baseAddress == nil {
            memory.deallocate()
            memory = .allocate(capacity: max(64, count))
        }
        return memory.baseAddress.unsafelyUnwrapped
    }
}
