public import Blobs
import Catalog
import Kernels
import Models
import Synchronization

extension ChannelEncoderLoader {
    public static let als = ChannelEncoderLoader(name: ChannelName.als, component: "als") { file, _ in
        try MatrixCompletionEncoder(component: file)
    }
}

/// Folds a user into a completed matrix: the input's vector is the least-squares solution for his live last-n, given the
/// item factors. A new user, or a new like, needs no training.
public final class MatrixCompletionEncoder: ChannelEncoder {
    private let specification: MatrixCompletionSpecification
    private let items: KeyIndex
    private let factors: SharedBuffer<Float>
    private let gram: SharedBuffer<Float>
    /// As many as requests ever ran at once.
    private let scratches = Mutex<[Scratch]>([])

    // Sendable: one request at a time takes it from the pool.
    private final class Scratch: @unchecked Sendable {
        let solver: LeastSquaresSolver.Scratch
        var rows: [UInt32] = []
        var likes: [UInt8] = []

        init(dimension: Int) {
            solver = LeastSquaresSolver.Scratch(dimension: dimension)
        }
    }

    /// Solver steps, from zero.
    private static let steps = 32

    /// - Complexity: O(items d): everything is checked.
    public init(component file: SafetensorsFile) throws(BlobError) {
        let keys = try file.buffer("item_key", as: UInt64.self, shape: [nil])
        let dimension = try file.tensor("gram").shape.last ?? 0
        factors = try file.buffer("factors", as: Float.self, shape: [keys.count, dimension])
        gram = try file.buffer("gram", as: Float.self, shape: [dimension, dimension])
        func number(_ name: String) -> Float? {
            file.metadata[name].flatMap { Float($0) }.flatMap { $0 >= 0 && $0.isFinite ? $0 : nil }
        }
        guard dimension > 0, let loss = file.metadata["loss"].flatMap(CompletionLoss.init(rawValue:)),
            let alpha = number("alpha"), let regularization = number("regularization")
        else {
            throw BlobError(
                .corrupt,
                "\(file.path): expected factors and, in the metadata, loss, alpha and regularization, found \(file.metadata)"
            )
        }
        var specification = MatrixCompletionSpecification()
        specification.loss = loss
        specification.alpha = alpha
        specification.regularization = regularization
        specification.factors = dimension
        self.specification = specification
        items = KeyIndex(keys)
        for (name, values) in [("factors", factors), ("gram", gram)] {
            if let fault = values.firstIndex(where: { !$0.isFinite }) {
                throw BlobError(
                    .corrupt, "\(file.path): tensor \"\(name)\": row \(fault / dimension) holds \(values[fault])")
            }
        }
    }

    /// - Complexity: O(d^2 + last-n d) for each step of the solver.
    public func input(for user: RecallUser) -> ChannelInput {
        let dimension = specification.factors
        let scratch = scratches.withLock { $0.popLast() } ?? Scratch(dimension: dimension)
        defer { scratches.withLock { $0.append(scratch) } }
        collect(Triggers(user.state), into: scratch)
        if scratch.rows.isEmpty { return ChannelInput() }
        var vector = [Float](repeating: 0, count: dimension)
        factors.withUnsafeBufferPointer { factors in
            gram.withUnsafeBufferPointer { gram in
                guard let factors = factors.baseAddress, let gram = gram.baseAddress else { return }
                let solver = LeastSquaresSolver(specification: specification, factors: factors, gram: gram)
                vector.withUnsafeMutableBufferPointer { x in
                    scratch.rows.withUnsafeBufferPointer { rows in
                        scratch.likes.withUnsafeBufferPointer { likes in
                            guard let x = x.baseAddress else { return }
                            solver.improve(x, rows: rows, likes: likes, steps: Self.steps, scratch: scratch.solver)
                        }
                    }
                }
            }
        }
        // A component made by hand can ask for what floats do not hold.
        return vector.allSatisfy(\.isFinite) ? ChannelInput(vector: SharedBuffer(vector)) : ChannelInput()
    }

    private func collect(_ triggers: Triggers, into scratch: Scratch) {
        scratch.rows.removeAll(keepingCapacity: true)
        scratch.likes.removeAll(keepingCapacity: true)
        for (item, like) in zip(triggers.items, triggers.weights) where like > 0 {
            guard let row = items.row(of: item) else { continue }
            scratch.rows.append(UInt32(row))
            scratch.likes.append(UInt8(like))
        }
    }
}
