/// A dense row-major float32 matrix `[rows, columns]` in a workspace, valid until the workspace's next `reset`.
public struct Tensor: Sendable {
    public let rows: Int
    public let columns: Int
    /// Number of the tensor in its workspace.
    let index: Int
    /// Memory of the workspace's arena.
    nonisolated(unsafe) let values: UnsafeMutablePointer<Float>

    public var count: Int { rows * columns }

    public subscript(row: Int, column: Int) -> Float {
        precondition(row >= 0 && row < rows && column >= 0 && column < columns, "index out of range")
        return values[row * columns + column]
    }

    /// The elements, row-major.
    public func withUnsafeBufferPointer<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeBufferPointer(start: values, count: count))
    }

    /// A copy of the elements, row-major.
    public var array: [Float] { withUnsafeBufferPointer { Array($0) } }
}

/// Lists of table rows of different lengths: list i is `rows[offsets[i]..<offsets[i + 1]]`.
public struct RaggedRows: Sendable, Hashable {
    public var rows: [UInt32]
    /// `[lists + 1]`, ascending from 0 to `rows.count`.
    public var offsets: [Int]

    /// No lists.
    public init() {
        rows = []
        offsets = [0]
    }

    /// - Precondition: the offsets ascend from 0 to `rows.count`.
    public init(rows: [UInt32], offsets: [Int]) {
        precondition(offsets.first == 0 && offsets.last == rows.count, "offsets must span the rows")
        precondition(zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }, "offsets must ascend")
        self.rows = rows
        self.offsets = offsets
    }

    public var count: Int { offsets.count - 1 }

    // Inlinable: called for every training row, with lists of the caller's types.
    @inlinable
    public mutating func append(_ list: some Sequence<UInt32>) {
        rows.append(contentsOf: list)
        offsets.append(rows.count)
    }

    /// Keeps the memory.
    public mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }
}

/// How the embeddings of a list become one row. An empty list gives zeros.
public enum Pooling: Sendable, Hashable {
    case sum
    case mean
}
