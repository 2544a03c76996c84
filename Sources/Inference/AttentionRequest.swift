import Kernels

/// One request's attention: the history, taken in once, and the memory for its candidates. One thread at a time.
///
/// Made for a net when it is loaded, then used for request after request: `begin`, then `run` for any number of candidates.
public final class AttentionRequest {
    private let net: AttentionNet
    private let keysMax: Int
    /// Keys of this request, `[count, keyWidth]`, as they came and packed to be weighted and summed.
    private let keys: UnsafeMutablePointer<Float>
    private let packed: PackedScratch
    private var count = 0
    private let weighing: Weighing
    /// `[Tile.rows, keysMax]`: a weight for each pair of a tile.
    private let scores: UnsafeMutablePointer<Float>

    private enum Weighing {
        case layers(FactorisedLayers, LayerScratch)
        case dot(query: DenseLayer, key: DenseLayer, DotScratch)
    }

    /// - Parameter keysMax: The longest history.
    public init(_ net: AttentionNet, keysMax: Int) {
        precondition(keysMax >= 0, "\(keysMax) keys")
        self.net = net
        self.keysMax = keysMax
        keys = .allocateLines(capacity: keysMax * net.keyWidth)
        packed = PackedScratch(rowsMax: keysMax, columnsMax: net.keyWidth)
        scores = .allocateLines(capacity: Tile.rows * keysMax)
        switch net.form {
        case .layers(let layers): weighing = .layers(layers, LayerScratch(layers, keysMax: keysMax))
        case .dot(let query, let key):
            weighing = .dot(query: query, key: key, DotScratch(width: key.outputs, keysMax: keysMax))
        }
    }

    deinit {
        keys.deallocate()
        scores.deallocate()
    }

    /// Takes in a request's history.
    ///
    /// - Parameter history: `[count, keyWidth]`, row-major; `count` at most `keysMax`.
    /// - Complexity: O(count * keyWidth), and for the dot form times its width; no allocation.
    public func begin(_ history: UnsafeBufferPointer<Float>, count: Int) {
        precondition(history.count >= count * net.keyWidth, "\(history.count) floats for [\(count), \(net.keyWidth)]")
        begin(count: count) { keys in
            if let base = history.baseAddress { keys.update(from: base, count: count * net.keyWidth) }
        }
    }

    /// Takes in a request's history from where it is written.
    ///
    /// - Parameter fill: Writes `[count, keyWidth]`, row-major; `count` at most `keysMax`.
    /// - Complexity: O(count * keyWidth), and for the dot form times its width; no allocation.
    package func begin(count: Int, fill: (UnsafeMutablePointer<Float>) -> Void) {
        precondition(count >= 0 && count <= keysMax, "\(count) keys, made for \(keysMax)")
        self.count = count
        fill(keys)
        packed.assign(operand(keys, count, net.keyWidth))
        if case .dot(_, let key, let scratch) = weighing { scratch.begin(key, keys: keys, count: count) }
    }

    /// The keys weighted for each candidate and summed; zeros without keys.
    ///
    /// - Parameters:
    ///   - queries: `[rows, width]`, row-major.
    ///   - y: `[rows, keyWidth]`, row-major, overwritten.
    /// - Complexity: O(rows * `net.operations(keys:)`), no allocation.
    public func run(_ queries: UnsafeBufferPointer<Float>, rows: Int, into y: UnsafeMutableBufferPointer<Float>) {
        precondition(
            rows >= 0 && queries.count >= rows * net.width, "\(queries.count) floats for [\(rows), \(net.width)]")
        precondition(y.count >= rows * net.keyWidth, "\(y.count) floats for [\(rows), \(net.keyWidth)]")
        guard let from = queries.baseAddress, let to = y.baseAddress else { return }
        for start in stride(from: 0, to: rows, by: Tile.rows) {
            let tile = min(Tile.rows, rows - start)
            weigh(from + start * net.width, rows: tile)
            kernels.multiply(operand(scores, tile, count), packed, into: to + start * net.keyWidth)
        }
    }

    /// Fills `scores` `[rows, count]` for a tile of queries.
    private func weigh(_ queries: UnsafePointer<Float>, rows: Int) {
        switch weighing {
        case .layers(let layers, let scratch):
            scratch.project(queries, rows: rows, by: layers)
            for row in 0..<rows {
                scratch.weigh(
                    queries + row * net.width, row: row, keys: operand(keys, count, net.keyWidth), by: layers,
                    into: scores + row * count)
            }
        case .dot(let query, _, let scratch):
            scratch.weigh(queries, rows: rows, by: query, count: count, into: scores)
        }
    }
}

private func operand(_ values: UnsafePointer<Float>, _ rows: Int, _ columns: Int) -> MatrixOperand {
    MatrixOperand(UnsafeBufferPointer(start: values, count: rows * columns), rows: rows, columns: columns)
}

/// Memory of DIN's layers for one tile of candidates.
private final class LayerScratch {
    /// M of the candidate at hand.
    private let mixed: ScaledMatrix
    /// `[Tile.rows, hidden]`: what a candidate alone brings to the first layer.
    private let own: UnsafeMutablePointer<Float>
    /// `[keysMax, outputs]` of each layer but the last, for one candidate.
    private let hidden: [UnsafeMutablePointer<Float>]
    private let arena = InferenceArena(for: ArenaNeed())

    init(_ layers: FactorisedLayers, keysMax: Int) {
        mixed = ScaledMatrix(start: layers.start, product: layers.product)
        own = .allocateLines(capacity: Tile.rows * layers.hidden)
        let widths = [layers.hidden] + layers.rest.dropLast().map(\.outputs)
        hidden = widths.map { .allocateLines(capacity: keysMax * $0) }
    }

    deinit {
        own.deallocate()
        for memory in hidden { memory.deallocate() }
    }

    func project(_ queries: UnsafePointer<Float>, rows: Int, by layers: FactorisedLayers) {
        layers.own.run(
            queries, stride: layers.width, rows: rows, into: own, outputStride: layers.hidden, in: arena)
    }

    /// - Parameter scores: `[keys]`, overwritten.
    func weigh(
        _ query: UnsafePointer<Float>, row: Int, keys: MatrixOperand, by layers: FactorisedLayers,
        into scores: UnsafeMutablePointer<Float>
    ) {
        mixed.scale(by: query, count: layers.width)
        kernels.multiply(
            keys, mixed.matrix, bias: own + row * layers.hidden, activation: layers.activation, into: hidden[0])
        for index in layers.rest.indices {
            let to = index == layers.rest.count - 1 ? scores : hidden[index + 1]
            let layer = layers.rest[index]
            layer.run(
                hidden[index], stride: layer.inputs, rows: keys.rows, into: to, outputStride: layer.outputs, in: arena)
        }
    }
}

/// Memory of the dot form for one tile of candidates.
private final class DotScratch {
    private let width: Int
    /// k B, `[keysMax, width]`, and its transpose packed.
    private let projected: UnsafeMutablePointer<Float>
    private let packed: PackedScratch
    /// q A, `[Tile.rows, width]`.
    private let queries: UnsafeMutablePointer<Float>
    private let arena = InferenceArena(for: ArenaNeed())

    init(width: Int, keysMax: Int) {
        self.width = width
        projected = .allocateLines(capacity: keysMax * width)
        packed = PackedScratch(rowsMax: width, columnsMax: keysMax)
        queries = .allocateLines(capacity: Tile.rows * width)
    }

    deinit {
        projected.deallocate()
        queries.deallocate()
    }

    func begin(_ key: DenseLayer, keys: UnsafePointer<Float>, count: Int) {
        key.run(keys, stride: key.inputs, rows: count, into: projected, outputStride: width, in: arena)
        // The scores' divisor, once for every key.
        kernels.scale(1 / Float(width).squareRoot(), projected, projected, count: count * width)
        packed.assign(operand(projected, count, width).transposed)
    }

    /// - Parameter scores: `[rows, count]`, overwritten.
    func weigh(
        _ x: UnsafePointer<Float>, rows: Int, by query: DenseLayer, count: Int, into scores: UnsafeMutablePointer<Float>
    ) {
        guard count > 0 else { return }
        query.run(x, stride: query.inputs, rows: rows, into: queries, outputStride: width, in: arena)
        kernels.multiply(operand(queries, rows, width), packed, into: scores)
        for row in 0..<rows { kernels.softmax(scores + row * count, scores + row * count, count: count) }
    }
}
