public import Blobs
public import Kernels

/// The parameters of a model by name.
///
/// A model asks for its parameters in its initialiser and does not know where they come from: made anew from a seed,
/// copied from a file to train on, or shared with a mapped file to serve. That is what lets one definition of a model
/// train and serve.
public final class ParameterSet {
    public private(set) var matrices: [DenseParameter] = []
    public private(set) var tables: [EmbeddingTable] = []
    private var names: Set<String> = []
    private let source: Source

    private enum Source {
        case seed(UInt64)
        case file(SafetensorsFile, prefix: String, purpose: Purpose, precisions: [String: Precision])
        case shapes
    }

    public enum Purpose: Sendable, Hashable {
        /// Values are copied and may change.
        case training
        /// Values are shared with the mapping; matrices are packed for the serving kernel.
        case serving
    }

    /// New parameters. A parameter's values depend on the seed and its own name only.
    public init(seed: UInt64) {
        source = .seed(seed)
    }

    /// The parameters of a file written by `write`.
    ///
    /// - Parameters:
    ///   - prefix: what the writer put before each name.
    ///   - precisions: For serving, how the matrices are held, by name; float32 for those that are not there.
    public init(
        file: SafetensorsFile, prefix: String = "", purpose: Purpose, precisions: [String: Precision] = [:]
    ) {
        source = .file(file, prefix: prefix, purpose: purpose, precisions: precisions)
    }

    private init(_ source: Source) {
        self.source = source
    }

    /// Parameters without values: a model made of them can be counted, not run.
    public static func shapes() -> ParameterSet { ParameterSet(.shapes) }

    /// The parameter `name` of a dense layer, `[rows, columns]`.
    public func matrix(
        _ name: String, rows: Int, columns: Int, initial: Initializer
    ) throws(NetworkError) -> DenseParameter {
        register(name)
        let parameter: DenseParameter
        if case .shapes = source {
            parameter = DenseParameter(shapeOf: name, rows: rows, columns: columns)
            matrices.append(parameter)
            return parameter
        }
        if let shared = try sharedValues(name, rows, columns) {
            parameter = DenseParameter(
                name: name, rows: rows, columns: columns, shared: shared, precision: precision(of: name))
        } else {
            parameter = DenseParameter(name: name, rows: rows, columns: columns)
            try fill(parameter, initial)
        }
        // Tables are not read through here: loading maps them, and a damaged row spoils only its own scores.
        guard UnsafeBufferPointer(start: parameter.values, count: parameter.count).allSatisfy(\.isFinite) else {
            throw NetworkError(.notFinite, "the stored parameter \(name) has values that are not finite")
        }
        matrices.append(parameter)
        return parameter
    }

    /// The embedding table `name`, `[rows, width]`.
    ///
    /// - Parameter padding: A row that starts from zero and stays there, as PyTorch's `padding_idx`.
    public func table(
        _ name: String, rows: Int, width: Int, initial: Initializer = .normal(deviation: 0.05), padding: UInt32? = nil
    ) throws(NetworkError) -> EmbeddingTable {
        register(name)
        let parameter: EmbeddingTable
        if case .shapes = source {
            parameter = EmbeddingTable(shapeOf: name, rows: rows, columns: width)
        } else if let shared = try sharedValues(name, rows, width) {
            parameter = EmbeddingTable(name: name, rows: rows, columns: width, shared: shared)
        } else {
            parameter = EmbeddingTable(name: name, rows: rows, columns: width, padding: padding)
            try fill(parameter, initial)
            parameter.clearPadding()
        }
        tables.append(parameter)
        return parameter
    }

    /// Every parameter, matrices first, each kind in the order in which it was asked for.
    public var all: [Parameter] { matrices + tables }

    /// Names of the matrices that gain by being served in bytes: those of layers that are wide enough to be worth the
    /// rounding of their input.
    public var byteCandidates: [String] {
        matrices.filter { min($0.rows, $0.columns) >= ParameterSet.byteWidthMin }.map(\.name)
    }

    /// Below a register's width of inputs or outputs, a product takes no longer than what comes before and after it.
    private static let byteWidthMin = 16

    /// Scalars in all parameters.
    public var count: Int { all.reduce(0) { $0 + $1.count } }

    /// Adds every parameter as a F32 tensor `<prefix><name>` of shape `[rows, columns]`.
    ///
    /// - Complexity: O(count); the values are copied, so that training may go on.
    public func write(to writer: inout SafetensorsWriter, prefix: String = "") throws(NetworkError) {
        for parameter in all {
            let values = parameter.array
            guard values.allSatisfy(\.isFinite) else {
                throw NetworkError(.notFinite, "parameter \(parameter.name) has values that are not finite")
            }
            writer.add(prefix + parameter.name, values, shape: [parameter.rows, parameter.columns])
        }
    }

    private func register(_ name: String) {
        precondition(names.insert(name).inserted, "two parameters are named \(name)")
    }

    private func precision(of name: String) -> Precision {
        guard case .file(_, _, _, let precisions) = source else { return .float32 }
        return precisions[name] ?? .float32
    }

    private func sharedValues(
        _ name: String, _ rows: Int, _ columns: Int
    ) throws(NetworkError) -> SharedBuffer<Float>? {
        guard case .file(let file, let prefix, .serving, _) = source else { return nil }
        return try read(file, prefix + name, rows, columns)
    }

    private func fill(_ parameter: Parameter, _ initial: Initializer) throws(NetworkError) {
        switch source {
        case .seed(let seed):
            guard let values = parameter.mutableValues else { return }
            var generator = SeededGenerator(seed: seed, stream: ParameterSet.hash(parameter.name))
            initial.fill(values, rows: parameter.rows, columns: parameter.columns, generator: &generator)
        case .file(let file, let prefix, _, _):
            parameter.assign(try read(file, prefix + parameter.name, parameter.rows, parameter.columns))
        case .shapes: break
        }
    }

    private func read(
        _ file: SafetensorsFile, _ name: String, _ rows: Int, _ columns: Int
    ) throws(NetworkError) -> SharedBuffer<Float> {
        do {
            return try file.buffer(name, as: Float.self, shape: [rows, columns])
        } catch {
            throw NetworkError(.mismatch, "the model's parameter \(name) [\(rows), \(columns)]", cause: error)
        }
    }

    /// FNV-1a, so that a name's random stream is the same in every build.
    private static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
