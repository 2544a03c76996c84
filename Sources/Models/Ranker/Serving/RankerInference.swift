import Blobs
import Features
import Inference
import Kernels
import Networks

/// A ranking model on the nets of `Inference`.
///
/// The inputs of a tile's rows lie side by side as in `RankerModel`: fields with an embedding, sequences, numbers. What a request
/// gives once is written once, and multiplied once by the first layers that are held in float32.
final class RankerInference: Sendable {
    /// In the order of their columns; none of fields that nothing reads as columns.
    private let parts: [Part]
    let histories: [ServedHistory]
    private let scalars: [ServedScalar]
    /// nil when heads are sums of scalars alone.
    private let body: ServedBody?
    private let heads: Int
    let need: ArenaNeed

    fileprivate enum Part: Sendable {
        case field(ServedField)
        case history(ServedHistory)
    }

    /// - Parameter parameters: Those of the `RankerModel` that has been made of the file.
    init(_ model: RankerSpecification, _ parameters: ParameterSet, _ layers: ServedLayers) throws {
        let tables = Dictionary(uniqueKeysWithValues: parameters.tables.map { ($0.name, $0) })
        heads = model.heads.count
        scalars = try model.crossings.enumerated().filter(\.element.isScalar).map {
            try ServedScalar("crossing.\($0.offset)", $0.element, model, tables: tables, layers)
        }
        let scalarNeed = scalars.reduce(ArenaNeed()) { .either($0, $1.need) }
        guard model.hasBody else {
            (parts, histories, body) = ([], [], nil)
            need = scalarNeed
            return
        }
        let fields = Self.fields(model, tables)
        var column = fields.reduce(0) { $0 + ($1.kind == .numeric ? 0 : $1.width) }
        histories = try model.sequences.indices.map { index in
            let history = try ServedHistory(index, model, column: column, tables: tables, layers.file)
            column += history.width
            return history
        }
        parts =
            fields.filter { $0.kind != .numeric }.map(Part.field) + histories.map(Part.history)
            + fields.filter { $0.kind == .numeric }.map(Part.field)
        let body = try ServedBody(
            model, inputs: model.inputWidth, columns: fields.map { $0.column..<$0.column + $0.width }, layers)
        self.body = body
        need = .either(ArenaNeed(floats: Tile.rows * body.inputs) + body.need, scalarNeed)
    }

    /// Fields in their order, with the places of their columns.
    private static func fields(
        _ model: RankerSpecification, _ tables: [String: EmbeddingTable]
    ) -> [ServedField] {
        let numbers = model.fields.reduce(0) { $0 + ($1.kind == .numeric ? $1.count : 0) }
        var (column, number) = (0, model.inputWidth - numbers)
        return model.fields.enumerated().map { index, field in
            let isNumeric = field.kind == .numeric
            let table = isNumeric ? nil : tables["table.\(field.tableName)"]
            let width = table?.width ?? field.count
            defer { if isNumeric { number += width } else { column += width } }
            return ServedField(
                index: index, kind: field.kind, pooling: field.pooling.pooling, table: table,
                column: isNumeric ? number : column, width: width)
        }
    }

    /// - Parameter logits: `[n, heads]`, overwritten.
    /// - Complexity: no allocation.
    func run(_ inputs: RankerInputs, _ scratch: RankerNet.Scratch, into logits: UnsafeMutablePointer<Float>) {
        if let body {
            run(inputs, body, scratch, into: logits)
        } else {
            logits.update(repeating: 0, count: inputs.count * heads)
        }
        for scalar in scalars { scalar.add(inputs, to: logits, columns: heads, in: scratch.arena) }
    }

    private func run(
        _ inputs: RankerInputs, _ body: ServedBody, _ scratch: RankerNet.Scratch,
        into logits: UnsafeMutablePointer<Float>
    ) {
        scratch.arena.scope {
            let x = scratch.arena.take(Tile.rows * body.inputs)
            for history in histories { history.attend(inputs, scratch.histories[history.index]) }
            writeShared(inputs, scratch, to: x, stride: body.inputs)
            let request = body.begin(x, scratch.columns, in: scratch.arena)
            for start in stride(from: 0, to: inputs.count, by: Tile.rows) {
                let rows = start..<min(start + Tile.rows, inputs.count)
                for part in parts {
                    guard !part.isShared(inputs) else { continue }
                    part.write(inputs, rows: rows, scratch, to: x, stride: body.inputs)
                }
                body.runTile(
                    x, rows: rows.count, scratch.columns, request, into: logits + start * heads, in: scratch.arena)
            }
        }
    }

    /// Writes what all rows share to every row of the tile.
    private func writeShared(
        _ inputs: RankerInputs, _ scratch: RankerNet.Scratch, to x: UnsafeMutablePointer<Float>, stride: Int
    ) {
        scratch.columns.removeAll()
        for part in parts {
            let isShared = part.isShared(inputs)
            scratch.columns.append(part.width, isShared: isShared)
            guard isShared else { continue }
            part.write(inputs, rows: 0..<1, scratch, to: x, stride: stride)
            for row in 1..<min(Tile.rows, inputs.count) {
                (x + row * stride + part.column).update(from: x + part.column, count: part.width)
            }
        }
    }
}

extension RankerInference.Part {
    var column: Int {
        switch self {
        case .field(let field): field.column
        case .history(let history): history.column
        }
    }

    var width: Int {
        switch self {
        case .field(let field): field.width
        case .history(let history): history.width
        }
    }

    func isShared(_ inputs: RankerInputs) -> Bool {
        switch self {
        case .field(let field): field.isShared(inputs)
        case .history(let history): history.isShared(inputs)
        }
    }

    func write(
        _ inputs: RankerInputs, rows: Range<Int>, _ scratch: RankerNet.Scratch, to x: UnsafeMutablePointer<Float>,
        stride: Int
    ) {
        switch self {
        case .field(let field): field.write(inputs, rows: rows, to: x, stride: stride)
        case .history(let history):
            history.write(inputs, rows: rows, scratch.histories[history.index], to: x, stride: stride)
        }
    }
}
