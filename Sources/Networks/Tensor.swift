/// A dense row-major float32 matrix `[rows, columns]` in a workspace's memory, valid until the workspace's next `reset`.
///
/// A tensor keeps the memory it lives in, so that it may outlive its workspace; using one after the reset ends the
/// process with a message.
public struct Tensor: Sendable {
    public let rows: Int
    public let columns: Int
    /// Number of the tensor in its workspace.
    let index: Int
    // One thread at a time takes from and resets a workspace; operations share only finished tensors among threads.
    nonisolated(unsafe) private let arena: FloatArena
    /// The arena's run that the tensor belongs to.
    private let run: Int
    nonisolated(unsafe) private let base: UnsafeMutablePointer<Float>

    /// Undefined values.
    init(rows: Int, columns: Int, index: Int, in arena: FloatArena) {
        self.rows = rows
        self.columns = columns
        self.index = index
        self.arena = arena
        run = arena.run
        base = arena.take(rows * columns)
    }

    public var count: Int { rows * columns }

    /// Whether the tensor belongs to the run that `arena` is in.
    func lives(in arena: FloatArena) -> Bool { self.arena === arena && run == arena.run }

    /// The elements, row-major; valid while the tensor is.
    var values: UnsafeMutablePointer<Float> {
        precondition(run == arena.run, "a tensor was used after the reset of its workspace")
        return base
    }

    public subscript(row: Int, column: Int) -> Float {
        precondition(row >= 0 && row < rows && column >= 0 && column < columns, "index out of range")
        return withUnsafeBufferPointer { $0[row * columns + column] }
    }

    /// The elements, row-major.
    public func withUnsafeBufferPointer<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { extendLifetime(arena) }
        return try body(UnsafeBufferPointer(start: values, count: count))
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
