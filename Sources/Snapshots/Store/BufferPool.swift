import Kernels
import Synchronization

/// Memory of one size for pieces and frames that come and go: what one leaves, the next one takes.
///
/// Large blocks that the allocator returns to the system cost a page fault for each 4 KiB when they come back, which is
/// more than copying into them.
final class BufferPool: Sendable {
    let byteCount: Int
    private let idleMax: Int
    private let idle = Mutex<[Memory]>([])

    /// - Parameter idleMax: buffers kept for later while nobody uses them.
    init(byteCount: Int, idleMax: Int) {
        self.byteCount = byteCount
        self.idleMax = idleMax
    }

    /// A buffer whose memory comes back here when nobody refers to it any more. Its contents are arbitrary.
    func take() -> Buffer {
        let memory = idle.withLock { $0.popLast() }
        return Buffer(memory ?? Memory(byteCount: byteCount), self)
    }

    final class Buffer: Sendable {
        private let memory: Memory
        private let pool: BufferPool

        fileprivate init(_ memory: Memory, _ pool: BufferPool) {
            self.memory = memory
            self.pool = pool
        }

        deinit {
            pool.idle.withLock { if $0.count < pool.idleMax { $0.append(memory) } }
        }

        /// Who writes here sees to it that nobody reads the same bytes meanwhile.
        var bytes: UnsafeMutableRawBufferPointer { memory.bytes }

        /// Bytes that nobody writes to any more.
        func shared(_ range: Range<Int>) -> SharedBuffer<UInt8> {
            let base = UnsafeRawBufferPointer(rebasing: memory.bytes[range]).baseAddress
            return SharedBuffer(owner: self, base: base?.assumingMemoryBound(to: UInt8.self), count: range.count)
        }
    }

    // Sendable: the address is fixed; who may touch what it points to is the buffer's matter.
    fileprivate final class Memory: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer

        init(byteCount: Int) {
            bytes = .allocate(byteCount: byteCount, alignment: 64)
        }

        deinit {
            bytes.deallocate()
        }
    }
}
