internal import CNghttp2
import Glibc

/// The memory of one `nghttp2_session`: small blocks that the library frees wait here, by size, for the next request.
///
/// The library makes some eight small allocations per request and frees them with the stream; a list pops and pushes in
/// a tenth of the general allocator's instructions. Confined to its session's event loop, as the session is.
final class HTTP2Memory {
    /// Sizes are rounded up to a multiple of this, which is also the room before a block for its class.
    private static let unit = 16
    /// Classes 1 to this are of so many units; class 0 is everything larger, straight from the general allocator.
    private static let classMax = 64
    /// Bytes kept at most, so that a burst of requests does not pin its memory for the connection's life.
    private static let keptMax = 256 << 10

    /// Freed blocks by class; the first word of each points to the next.
    private let lists: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private var kept = 0

    init() {
        lists = .allocate(capacity: Self.classMax + 1)
        lists.initialize(repeating: nil, count: Self.classMax + 1)
    }

    deinit {
        for index in 0...Self.classMax {
            while let block = lists[index] {
                lists[index] = block.load(as: UnsafeMutableRawPointer?.self)
                Glibc.free(block - Self.unit)
            }
        }
        lists.deallocate()
    }

    /// What the library is given when it makes a session; valid while this object is alive.
    var functions: nghttp2_mem {
        nghttp2_mem(
            mem_user_data: Unmanaged.passUnretained(self).toOpaque(),
            malloc: { size, memory in HTTP2Memory.with(memory) { $0.allocate(size) } },
            free: { block, memory in HTTP2Memory.with(memory) { $0.free(block) } },
            calloc: { count, size, memory in
                let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow, let block = HTTP2Memory.with(memory, { $0.allocate(bytes) }) else { return nil }
                return memset(block, 0, bytes)
            },
            realloc: { block, size, memory in HTTP2Memory.with(memory) { $0.reallocate(block, size) } })
    }

    private static func with<Result>(_ memory: UnsafeMutableRawPointer?, _ body: (HTTP2Memory) -> Result) -> Result {
        guard let memory else { preconditionFailure("the library gives back the pointer it was given") }
        return Unmanaged<HTTP2Memory>.fromOpaque(memory)._withUnsafeGuaranteedRef(body)
    }

    /// Nil when there is no memory, or when nothing is asked for.
    private func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size > 0, size <= Int.max - Self.unit else { return nil }
        let units = size > Self.classMax * Self.unit ? 0 : (size + Self.unit - 1) / Self.unit
        if units > 0, let block = lists[units] {
            lists[units] = block.load(as: UnsafeMutableRawPointer?.self)
            kept -= units * Self.unit
            return block
        }
        guard let start = malloc((units > 0 ? units * Self.unit : size) + Self.unit) else { return nil }
        start.storeBytes(of: units, as: Int.self)
        return start + Self.unit
    }

    private func free(_ block: UnsafeMutableRawPointer?) {
        guard let block else { return }
        let units = Self.units(of: block)
        guard units > 0, kept < Self.keptMax else { return Glibc.free(block - Self.unit) }
        kept += units * Self.unit
        block.storeBytes(of: lists[units], as: UnsafeMutableRawPointer?.self)
        lists[units] = block
    }

    private func reallocate(_ block: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        guard let block else { return allocate(size) }
        let units = Self.units(of: block)
        let room = units * Self.unit
        guard size > room else { return block }
        guard units > 0 else {
            guard size <= Int.max - Self.unit else { return nil }
            return realloc(block - Self.unit, size + Self.unit).map { $0 + Self.unit }
        }
        guard let larger = allocate(size) else { return nil }
        larger.copyMemory(from: block, byteCount: room)
        free(block)
        return larger
    }

    private static func units(of block: UnsafeMutableRawPointer) -> Int {
        (block - unit).load(as: Int.self)
    }
}
