public import Blobs
import Catalog
import Features
public import Kernels
public import Networks

/// A two-tower model of a snapshot, to train on: its `two-tower` and `two-tower-state` components.
public struct TrainedTwoTower: Sendable {
    public let description: ModelDescription<TwoTowerSpecification>
    public let state: TwoTowerState
    public let userKeys: SharedBuffer<UInt64>
    private let file: SafetensorsFile

    public init(_ file: SafetensorsFile, state: SafetensorsFile) throws {
        self.file = file
        description = try ModelDescription(file)
        userKeys = try file.buffer("user_key", as: UInt64.self, shape: [description.sizes.users])
        self.state = try TwoTowerState(state)
        guard self.state.gaps.count == description.sizes.items else {
            throw ModelError(
                .mismatch,
                "\(state.path): made for \(self.state.gaps.count) items, \(file.path) for "
                    + "\(description.sizes.items)")
        }
    }

    /// Throws unless the model can go on as another: the same fields, widths and layers.
    public func check(continues specification: TwoTowerSpecification) throws(ModelError) {
        var own = description.specification
        own.training = specification.training
        guard own == specification else {
            throw ModelError(
                .mismatch,
                "\(file.path): its towers, embeddings, recentItems or temperature are not those of the specification; "
                    + "a model goes on only as it is")
        }
    }

    /// Puts the values and the optimizer's memory of the trained model where the new one has the same thing; users, items
    /// and names that it does not know stay as they are, new.
    ///
    /// - Complexity: O(scalars).
    public func copy(to parameters: ParameterSet, of vocabulary: ModelVocabulary, _ optimizer: Optimizer) throws {
        var memory = OptimizerMemory(steps: state.memory.steps)
        for matrix in parameters.matrices {
            let values = try file.buffer(matrix.name, as: Float.self, shape: [matrix.rows, matrix.columns])
            matrix.assign(values)
            memory.squares[matrix.name] = try moments(state.memory.squares, matrix, count: matrix.count)
            memory.means[matrix.name] = try moments(state.memory.means, matrix, count: matrix.count)
        }
        let fresh = optimizer.memory
        for table in parameters.tables {
            let sources = vocabulary.sources(of: table.name, count: table.rows, in: state.vocabulary)
            let name = sources?.table ?? table.name
            let rows = sources?.rows ?? (0..<table.rows).map { $0 }
            guard file.contains(name) else { continue }
            let values = try file.buffer(name, as: Float.self, shape: [nil, table.width])
            table.assign(Self.moved(values, table.array, rows: rows, width: table.width))
            if let squares = state.memory.squares[name], let own = fresh.squares[table.name],
                squares.count == values.count
            {
                memory.squares[table.name] = Self.moved(squares, own, rows: rows, width: table.width)
            }
        }
        optimizer.restore(memory)
    }

    /// `[N]` of another catalogue, batches between two clicks; an item that was not known is as rare as the rarest.
    public func gaps(_ vocabulary: ModelVocabulary, items: Int) -> [Float] {
        let rarest = state.gaps.max() ?? 1
        guard let sources = vocabulary.sources(of: "item", count: items + 1, in: state.vocabulary) else { return [] }
        return sources.rows.dropFirst().map { row in row.map { state.gaps[$0 - 1] } ?? rarest }
    }

    private func moments(_ all: [String: [Float]], _ matrix: DenseParameter, count: Int) throws(ModelError) -> [Float] {
        guard let values = all[matrix.name], values.count == count else {
            throw ModelError(.corrupt, "\(file.path): its state has no memory of \(matrix.name)")
        }
        return values
    }

    /// `own` with the rows that have a source replaced by it.
    private static func moved(
        _ source: some RandomAccessCollection<Float>, _ own: [Float], rows: [Int?], width: Int
    ) -> [Float] {
        var result = own
        for (row, from) in rows.enumerated() {
            guard let from, (from + 1) * width <= source.count else { continue }
            for column in 0..<width {
                result[row * width + column] = source[source.index(source.startIndex, offsetBy: from * width + column)]
            }
        }
        return result
    }
}
