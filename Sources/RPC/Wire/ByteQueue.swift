/// Bytes in first-in-first-out order in one growing block of memory. One owner; not for several threads.
struct ByteQueue: ~Copyable {
    /// A recycled queue gives back memory beyond this, so that one large message does not pin its size for good.
    private static let capacityKept = 64 << 10
    /// First allocation: most requests and answers fit.
    private static let capacityFirst = 1 << 10

    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var head = 0
    private var tail = 0

    deinit {
        memory.deallocate()
    }

    var count: Int { tail - head }
    var isEmpty: Bool { tail == head }

    /// Valid until the next mutation.
    var readable: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory.baseAddress.map { $0 + head }, count: tail - head)
    }

    /// Room for `count` more bytes, which count as written from now on. Valid until the next mutation.
    mutating func extend(by count: Int) -> UnsafeMutableRawBufferPointer {
        if tail + count > memory.count { makeRoom(for: count) }
        defer { tail += count }
        return UnsafeMutableRawBufferPointer(start: memory.baseAddress.map { $0 + tail }, count: count)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        extend(by: bytes.count).copyMemory(from: bytes)
    }

    mutating func consume(_ count: Int) {
        precondition(count <= self.count, "more consumed than written")
        head += count
        if head == tail {
            head = 0
            tail = 0
        }
    }

    mutating func removeAll() {
        head = 0
        tail = 0
        if memory.count > Self.capacityKept {
            memory.deallocate()
            memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
    }

    private mutating func makeRoom(for extra: Int) {
        let needed = count + extra
        if needed <= memory.count / 2, let base = memory.baseAddress {
            base.copyMemory(from: base + head, byteCount: count)
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(needed, memory.count * 2, Self.capacityFirst), alignment: 16)
            larger.copyMemory(from: readable)
            memory.deallocate()
            memory = larger
        }
        tail -= head
        head = 0
    }
}
