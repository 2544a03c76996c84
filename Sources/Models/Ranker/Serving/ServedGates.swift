import Blobs
import Inference
import Kernels

/// Personal gates in serving: made once for a request when the fields that decide them are the same in all rows.
struct ServedGates: Sendable {
    let net: GateNet
    /// Columns that decide, of the input of the nets.
    private let columns: [Range<Int>]
    /// Gated layers of the deep net, the first of all gates.
    private let deep: Int
    /// For each head, the first of its gates and how many layers they are of.
    private let towers: [(first: Int, layers: Int)]

    /// - Parameter columns: of each field, by place.
    init(_ model: RankerSpecification, columns: [Range<Int>], _ layers: ServedLayers) throws(BlobError) {
        let personal = model.personal ?? RankerPersonalGates(fields: [])
        let widths = personal.deep ? model.deep?.widths ?? [] : []
        var (first, count) = (widths.reduce(0, +), widths.count)
        deep = count
        towers = model.heads.map { head in
            let own = personal.towers ? head.tower : []
            defer { (first, count) = (first + own.reduce(0, +), count + own.count) }
            return (first, own.count)
        }
        var gates: [LayerWeights] = []
        for index in 0..<count { gates.append(try layers.layer("personal.\(index)", .twiceSigmoid)) }
        net = GateNet(hidden: try layers.layer("personal.hidden", .relu), gates: gates)
        self.columns = personal.fields.compactMap { name in
            model.fields.firstIndex { $0.name == name }.map { columns[$0] }
        }
    }

    var need: ArenaNeed {
        ArenaNeed(floats: Tile.rows * net.outputs) + ArenaNeed(floats: Tile.rows * net.inputs) + net.need
    }

    /// Whether all rows have the same gates.
    func isShared(_ columns: SharedColumns) -> Bool {
        self.columns.allSatisfy { own in
            columns.given.contains { $0.lowerBound <= own.lowerBound && own.upperBound <= $0.upperBound }
        }
    }

    /// Makes the gates of some rows, `[rows, net.outputs]`.
    func run(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into gates: UnsafeMutablePointer<Float>,
        in arena: InferenceArena
    ) {
        arena.scope {
            let deciding = arena.take(rows * net.inputs)
            for row in 0..<rows {
                var target = deciding + row * net.inputs
                for range in columns {
                    target.update(from: x + row * stride + range.lowerBound, count: range.count)
                    target += range.count
                }
            }
            net.runTile(
                deciding, stride: net.inputs, rows: rows, into: gates, outputStride: net.outputs, in: arena)
        }
    }

    func ofDeep(_ gates: UnsafePointer<Float>, stride: Int) -> LayerGates? {
        deep == 0 ? nil : LayerGates(values: gates, stride: stride, layers: deep)
    }

    func ofTower(_ head: Int, _ gates: UnsafePointer<Float>, stride: Int) -> LayerGates? {
        let own = towers[head]
        return own.layers == 0 ? nil : LayerGates(values: gates + own.first, stride: stride, layers: own.layers)
    }
}
