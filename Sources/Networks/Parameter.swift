import Kernels

/// Trained values of a network under a name: a dense matrix or an embedding table.
// Sendable: only the one thread that trains changes it; what serving loads is never changed.
public class Parameter: @unchecked Sendable {
    public let name: String
    public let rows: Int
    public let columns: Int
    /// Whether gradients are computed and applied; switch off to freeze a part of a model.
    public var isTrained: Bool
    /// Memory of a training run; nil when the values belong to a mapped file.
    let mutableValues: UnsafeMutablePointer<Float>?
    let values: UnsafePointer<Float>
    private let shared: SharedBuffer<Float>?

    public var count: Int { rows * columns }

    /// Mutable values, all zero.
    init(name: String, rows: Int, columns: Int) {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, rows * columns))
        memory.initialize(repeating: 0, count: max(1, rows * columns))
        self.name = name
        self.rows = rows
        self.columns = columns
        isTrained = true
        mutableValues = memory
        values = UnsafePointer(memory)
        shared = nil
    }

    /// Fixed values, without a copy.
    init(name: String, rows: Int, columns: Int, shared: SharedBuffer<Float>) {
        precondition(shared.count == rows * columns, "\(name): \(shared.count) values for [\(rows), \(columns)]")
        self.name = name
        self.rows = rows
        self.columns = columns
        isTrained = false
        mutableValues = nil
        // An empty buffer may have no address, and none is read from it.
        values = shared.withUnsafeBufferPointer { $0.baseAddress } ?? noFloats
        self.shared = shared
    }

    /// A shape without values.
    init(shapeOf name: String, rows: Int, columns: Int) {
        self.name = name
        self.rows = rows
        self.columns = columns
        isTrained = false
        mutableValues = nil
        values = noFloats
        shared = nil
    }

    deinit {
        mutableValues?.deallocate()
    }

    /// A copy of the values, row-major.
    public var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }

    /// Replaces the values of a parameter in training.
    public func assign(_ newValues: some Collection<Float>) {
        precondition(newValues.count == count, "\(name): \(newValues.count) values for [\(rows), \(columns)]")
        guard let mutableValues else { preconditionFailure("\(name) belongs to a file and cannot change") }
        _ = UnsafeMutableBufferPointer(start: mutableValues, count: count).update(fromContentsOf: newValues)
    }
}

/// A matrix of a dense layer, `[inputs, outputs]`, or a row of biases, `[1, outputs]`.
// Sendable: as Parameter.
public final class DenseParameter: Parameter, @unchecked Sendable {
    /// Sum of the gradients since the last step; made at the first use.
    private(set) var gradient: UnsafeMutablePointer<Float>?
    /// The values in the order of the serving kernel; only for values that no longer change.
    let packed: PackedMatrix?
    /// The values in bytes, for the products of whole batches; nil when they are served in float32.
    let bytes: ByteWeights?

    override init(name: String, rows: Int, columns: Int) {
        packed = nil
        bytes = nil
        super.init(name: name, rows: rows, columns: columns)
    }

    init(name: String, rows: Int, columns: Int, shared: SharedBuffer<Float>, precision: Precision) {
        packed = shared.withUnsafeBufferPointer { PackedMatrix(MatrixOperand($0, rows: rows, columns: columns)) }
        bytes = precision == .int8 ? ByteWeights(shared, rows: rows, columns: columns) : nil
        super.init(name: name, rows: rows, columns: columns, shared: shared)
    }

    override init(shapeOf name: String, rows: Int, columns: Int) {
        packed = nil
        bytes = nil
        super.init(shapeOf: name, rows: rows, columns: columns)
    }

    deinit {
        gradient?.deallocate()
    }

    /// Where backward steps add this parameter's gradient, `[rows, columns]`.
    func gradientSum() -> UnsafeMutablePointer<Float> {
        if let gradient { return gradient }
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count))
        memory.initialize(repeating: 0, count: max(1, count))
        gradient = memory
        return memory
    }

    func clearGradient() {
        gradient?.update(repeating: 0, count: count)
    }

    /// A copy of the gradient, row-major; zeros before any backward step.
    public var gradientArray: [Float] {
        gradient.map { Array(UnsafeBufferPointer(start: $0, count: count)) } ?? Array(repeating: 0, count: count)
    }
}

/// One row of `columns` values for each value of a categorical feature.
// Sendable: as Parameter.
public final class EmbeddingTable: Parameter, @unchecked Sendable {
    /// Gradients of the rows touched since the last step.
    let gradient: SparseGradient

    /// A row that is zero and gets no gradient.
    private let padding: UInt32?

    init(name: String, rows: Int, columns: Int, padding: UInt32?) {
        precondition(padding.map { $0 < rows } ?? true, "\(name) has \(rows) rows and none to pad with")
        self.padding = padding
        gradient = SparseGradient(skipping: padding)
        super.init(name: name, rows: rows, columns: columns)
    }

    override init(name: String, rows: Int, columns: Int, shared: SharedBuffer<Float>) {
        padding = nil
        gradient = SparseGradient(skipping: nil)
        super.init(name: name, rows: rows, columns: columns, shared: shared)
    }

    override init(shapeOf name: String, rows: Int, columns: Int) {
        padding = nil
        gradient = SparseGradient(skipping: nil)
        super.init(shapeOf: name, rows: rows, columns: columns)
    }

    /// Width of a row.
    public var width: Int { columns }

    func clearPadding() {
        if let padding { mutableValues?.advanced(by: Int(padding) * width).update(repeating: 0, count: width) }
    }

    /// Asks for a row to be brought into the cache.
    public func prefetch(_ index: Int) {
        precondition(index >= 0 && index < rows, "\(name) has \(rows) rows, asked for \(index)")
        kernels.prefetch(values + index * width, count: width)
    }

    /// Where a row lies, `[width]`, for as long as the table lives.
    package func address(of row: UInt32) -> UnsafePointer<Float> {
        values + checked(row) * width
    }

    /// Copies a row to `target`, `[width]`.
    public func copy(_ index: Int, to target: UnsafeMutablePointer<Float>) {
        precondition(index >= 0 && index < rows, "\(name) has \(rows) rows, asked for \(index)")
        target.update(from: values + index * width, count: width)
    }

    /// Copies rows to `target`, `stride` floats apart.
    ///
    /// - Complexity: O(rows * width); memory is asked for ahead of its use.
    public func gather(
        _ indices: UnsafeBufferPointer<UInt32>, to target: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let copied = kernels.gather(
            values, tableRows: rows, width: width, rows: indices, to: target, stride: stride)
        precondition(copied == indices.count, "\(name) has \(rows) rows, asked for \(indices[copied])")
    }

    /// A copy of one row.
    public func row(_ index: Int) -> [Float] {
        precondition(index >= 0 && index < rows, "\(name) has \(rows) rows, asked for \(index)")
        return Array(UnsafeBufferPointer(start: values + index * width, count: width))
    }

    /// A copy of the gradient as a dense matrix, row-major: for tests and small tables.
    public var gradientArray: [Float] {
        var dense = [Float](repeating: 0, count: count)
        for (slot, row) in gradient.rows.enumerated() {
            for column in 0..<width { dense[Int(row) * width + column] = gradient.values[slot * width + column] }
        }
        return dense
    }
}
