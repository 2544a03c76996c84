import Kernels

/// Memory that a net writes while it runs a tile.
public struct ArenaNeed: Sendable, Hashable {
    /// Floats held at once, rounded up to whole cache lines.
    public private(set) var floats: Int
    /// Columns of the widest input that is quantised.
    public private(set) var byteColumns: Int

    public init(floats: Int = 0, byteColumns: Int = 0) {
        self.floats = InferenceArena.rounded(floats)
        self.byteColumns = byteColumns
    }

    /// What is needed to hold both at once.
    public static func + (left: ArenaNeed, right: ArenaNeed) -> ArenaNeed {
        ArenaNeed(floats: left.floats + right.floats, byteColumns: max(left.byteColumns, right.byteColumns))
    }

    /// What is needed for the one, then the other.
    public static func either(_ left: ArenaNeed, _ right: ArenaNeed) -> ArenaNeed {
        ArenaNeed(floats: max(left.floats, right.floats), byteColumns: max(left.byteColumns, right.byteColumns))
    }
}

/// The memory of one request: taken once, when a net is loaded, and then lent out piece by piece. One thread at a time.
public final class InferenceArena {
    /// Floats of a cache line; every piece starts on one.
    private static let line = 16

    private let base: UnsafeMutablePointer<Float>
    private let capacity: Int
    private var used = 0
    /// The input of the layer that is running, when its weights are bytes.
    let quantized: QuantizedRows

    public init(for need: ArenaNeed) {
        capacity = max(InferenceArena.line, need.floats)
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: capacity * MemoryLayout<Float>.stride, alignment: InferenceArena.line * 4)
        base = memory.bindMemory(to: Float.self, capacity: capacity)
        base.initialize(repeating: 0, count: capacity)
        quantized = QuantizedRows(rowsMax: Tile.rows, columnsMax: need.byteColumns)
    }

    deinit {
        UnsafeMutableRawPointer(base).deallocate()
    }

    /// Lends memory to `body`; what it took is free again when it returns.
    @inline(__always)
    package func scope<Result>(_ body: () -> Result) -> Result {
        let mark = used
        defer { used = mark }
        return body()
    }

    /// `count` floats with undefined values, until the end of the scope.
    package func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        let size = InferenceArena.rounded(count)
        precondition(used + size <= capacity, "a net takes \(used + size) floats of an arena made for \(capacity)")
        defer { used += size }
        return base + used
    }

    static func rounded(_ count: Int) -> Int { (count + line - 1) / line * line }
}
