/// Bump allocation of float arrays that all end together. One thread at a time.
///
/// After a run that needed more than the arena held, `reset` makes one piece of the whole size: the same run again
/// allocates nothing.
final class FloatArena {
    /// Floats of a cache line; every array starts on one.
    private static let line = 16

    private var pieces: [UnsafeMutableBufferPointer<Float>] = []
    /// Floats used of the last piece.
    private var used = 0

    /// Counts the resets: what was taken in an earlier run has ended.
    private(set) var run = 0

    /// Floats held, used or not.
    var capacity: Int { pieces.reduce(0) { $0 + $1.count } }

    deinit {
        release()
    }

    /// `count` floats with undefined values, valid until `reset`.
    func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        let size = max(1, (count + FloatArena.line - 1) / FloatArena.line) * FloatArena.line
        if let last = pieces.last, let base = last.baseAddress, used + size <= last.count {
            defer { used += size }
            return base + used
        }
        let base = grow(to: max(size, 2 * capacity, 4096))
        used = size
        return base
    }

    /// `count` zeros, valid until `reset`.
    func zeros(_ count: Int) -> UnsafeMutablePointer<Float> {
        let base = take(count)
        base.update(repeating: 0, count: count)
        return base
    }

    func reset() {
        if pieces.count > 1 {
            let total = capacity
            release()
            _ = grow(to: total)
        }
        used = 0
        run += 1
    }

    private func grow(to count: Int) -> UnsafeMutablePointer<Float> {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
        let base = memory.bindMemory(to: Float.self, capacity: count)
        pieces.append(UnsafeMutableBufferPointer(start: base, count: count))
        return base
    }

    private func release() {
        for piece in pieces { UnsafeMutableRawPointer(piece.baseAddress)?.deallocate() }
        pieces.removeAll()
    }
}
