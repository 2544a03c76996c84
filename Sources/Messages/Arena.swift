import CProtobufC
import Glibc
import Kernels

/// Memory of one message while it crosses protobuf-c: a bump allocator over chained blocks, freed all at once.
///
/// Unpacking takes every structure and array from here, and the message's shared buffers keep the arena alive and read
/// its memory where protobuf-c put it. The first block is sized from the message, so that most calls make two
/// allocations in all: this object and one block.
// Sendable: one thread fills it during one call; afterwards its memory is only read, and freed in deinit.
final class Arena: @unchecked Sendable {
    /// Most memory one message may expand to while it is decoded. Two bytes on the wire can ask for a whole empty
    /// structure (about 100 bytes), so the limit on message size alone would allow 50 times as much.
    static let decodedBytesMax = 64 << 20

    /// Allocations are aligned for every type of a protobuf-c structure.
    private static let alignment = 16

    private let bytesMax: Int
    private var bytesTaken = 0
    private var blockBytes: Int
    /// The newest block; its first word points to the block before it.
    private var newest: UnsafeMutableRawPointer?
    private var free = 0
    private var end = 0
    /// True once an allocation was refused because of `bytesMax`.
    private(set) var isExhausted = false

    /// - Parameters:
    ///   - expected: Bytes that will probably be asked for; the first block's size.
    ///   - bytesMax: Allocations beyond this total are refused.
    init(expecting expected: Int, bytesMax: Int) {
        self.bytesMax = bytesMax
        blockBytes = min(max(expected, 256), 1 << 20) + Self.alignment
    }

    deinit {
        while let block = newest {
            newest = block.load(as: UnsafeMutableRawPointer?.self)
            Glibc.free(block)
        }
    }

    /// Uninitialised memory that lives as long as the arena; nil beyond the arena's limit.
    ///
    /// - Complexity: O(1).
    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size >= 0, size <= bytesMax else { return refuse() }
        let rounded = (size + Self.alignment - 1) & -Self.alignment
        guard rounded <= bytesMax - bytesTaken else { return refuse() }
        if newest == nil || rounded > end - free { addBlock(holding: rounded) }
        bytesTaken += rounded
        defer { free += rounded }
        return newest.map { $0 + free }
    }

    private func refuse() -> UnsafeMutableRawPointer? {
        isExhausted = true
        return nil
    }

    private func addBlock(holding size: Int) {
        let bytes = max(blockBytes, size + Self.alignment)
        // Aligned by 16, as every type of the platform wants; `allocate` would take the slower way of odd alignments.
        guard let block = malloc(bytes) else { preconditionFailure("no memory for a message of \(bytes) bytes") }
        block.storeBytes(of: newest, as: UnsafeMutableRawPointer?.self)
        newest = block
        free = Self.alignment
        end = bytes
        blockBytes = min(bytes * 2, 1 << 20)
    }
}

extension Arena {
    /// What protobuf-c calls while it unpacks into this arena; valid while the arena is alive.
    var allocator: ProtobufCAllocator {
        ProtobufCAllocator(
            alloc: { arena, size in
                guard let arena else { return nil }
                return Unmanaged<Arena>.fromOpaque(arena).takeUnretainedValue().allocate(size)
            },
            free: { _, _ in },
            allocator_data: Unmanaged.passUnretained(self).toOpaque())
    }

    /// `count` uninitialised values, for encoding, where nothing is refused.
    func allocate<Value>(_ type: Value.Type, count: Int = 1) -> UnsafeMutablePointer<Value> {
        guard let memory = allocate(MemoryLayout<Value>.stride * count) else {
            preconditionFailure("an arena for encoding has no limit")
        }
        return memory.bindMemory(to: type, capacity: count)
    }
}
