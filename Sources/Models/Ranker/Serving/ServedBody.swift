import Blobs
import Inference
import Kernels

/// What stands between a ranking model's inputs and its logits, in serving: deep net and cross nets side by side, what the tasks
/// share, towers.
struct ServedBody: Sendable {
    /// Columns of all inputs.
    let inputs: Int
    private let deep: DenseNet?
    private let crosses: [CrossNetV2]
    private let gates: ServedGates?
    private let shared: ServedSharing
    private let towers: [DenseNet]
    let need: ArenaNeed

    /// What a request brings to all of its tiles.
    struct Request {
        /// What shared columns bring to the first products, one after the other.
        fileprivate let sums: UnsafeMutablePointer<Float>
        /// nil when each row has gates of its own.
        fileprivate let gates: UnsafeMutablePointer<Float>?
    }

    /// - Parameter columns: of each field, by place, in the input.
    init(
        _ model: RankerSpecification, inputs: Int, columns: [Range<Int>], _ layers: ServedLayers
    ) throws(BlobError) {
        var crosses: [CrossNetV2] = []
        for (index, crossing) in model.crossings.enumerated() {
            guard case .dcn(let count, _) = crossing else { continue }
            crosses.append(try layers.cross("crossing.\(index)", layers: count))
        }
        let deep = model.deep == nil ? nil : try layers.deep(model)
        let gates = model.personal == nil ? nil : try ServedGates(model, columns: columns, layers)
        let outputs = crosses.reduce(deep?.outputs ?? 0) { $0 + $1.outputs }
        let shared = try ServedSharing(model, inputs: outputs > 0 ? outputs : inputs, layers)
        var towers: [DenseNet] = []
        for head in model.heads {
            towers.append(
                DenseNet(try layers.chain("head.\(head.name)", count: head.tower.count + 1, last: .identity)))
        }
        let sums = crosses.reduce(deep?.sharedOutputs ?? 0) { $0 + $1.sharedOutputs }
        let own = ArenaNeed(floats: sums) + ArenaNeed(floats: Tile.rows * outputs)
        let nets = ([deep].compactMap { $0?.need } + crosses.map(\.need) + towers.map(\.need)).reduce(ArenaNeed()) {
            .either($0, $1)
        }
        need = own + (gates?.need ?? ArenaNeed()) + shared.need + nets
        self.inputs = inputs
        (self.deep, self.crosses, self.gates) = (deep, crosses, gates)
        (self.shared, self.towers) = (shared, towers)
    }

    private var outputs: Int { crosses.reduce(deep?.outputs ?? 0) { $0 + $1.outputs } }

    /// Takes in what a request's rows share.
    ///
    /// - Parameters:
    ///   - x: Any row, `[inputs]`, whose shared columns are there.
    ///   - arena: Its scope holds what is taken in.
    func begin(_ x: UnsafePointer<Float>, _ columns: SharedColumns, in arena: InferenceArena) -> Request {
        let sums = arena.take(crosses.reduce(deep?.sharedOutputs ?? 0) { $0 + $1.sharedOutputs })
        deep?.share(x, columns, into: sums)
        var next = sums + (deep?.sharedOutputs ?? 0)
        for cross in crosses {
            cross.share(x, columns, into: next)
            next += cross.sharedOutputs
        }
        guard let gates, gates.isShared(columns) else { return Request(sums: sums, gates: nil) }
        let own = arena.take(gates.net.outputs)
        gates.run(x, stride: inputs, rows: 1, into: own, in: arena)
        return Request(sums: sums, gates: own)
    }

    /// Runs at most `Tile.rows` rows.
    ///
    /// - Parameters:
    ///   - x: `[rows, inputs]`.
    ///   - logits: `[rows, heads]`, overwritten.
    func runTile(
        _ x: UnsafePointer<Float>, rows: Int, _ columns: SharedColumns, _ request: Request,
        into logits: UnsafeMutablePointer<Float>, in arena: InferenceArena
    ) {
        arena.scope {
            var (own, step) = (UnsafePointer(request.gates ?? logits), 0)
            if let gates, request.gates == nil {
                let made = arena.take(rows * gates.net.outputs)
                gates.run(x, stride: inputs, rows: rows, into: made, in: arena)
                (own, step) = (UnsafePointer(made), gates.net.outputs)
            }
            let body = runBlocks(x, rows, columns, request, gates?.ofDeep(own, stride: step), in: arena)
            let towerInputs = shared.run(
                body, stride: outputs > 0 ? outputs : inputs, rows: rows, in: arena)
            for (head, tower) in towers.enumerated() {
                tower.runTile(
                    towerInputs.first + head * towerInputs.apart, stride: towerInputs.stride, rows: rows,
                    sharing: SharedColumns.none, sum: nil, gates: gates?.ofTower(head, own, stride: step),
                    into: logits + head, outputStride: towers.count, in: arena)
            }
        }
    }

    /// Deep net and cross nets side by side; the input itself when there are none.
    private func runBlocks(
        _ x: UnsafePointer<Float>, _ rows: Int, _ columns: SharedColumns, _ request: Request, _ gates: LayerGates?,
        in arena: InferenceArena
    ) -> UnsafePointer<Float> {
        let outputs = outputs
        guard outputs > 0 else { return x }
        let body = arena.take(rows * outputs)
        deep?.runTile(
            x, stride: inputs, rows: rows, sharing: columns, sum: request.sums, gates: gates, into: body,
            outputStride: outputs, in: arena)
        var (target, sum) = (body + (deep?.outputs ?? 0), request.sums + (deep?.sharedOutputs ?? 0))
        for cross in crosses {
            cross.runTile(
                x, stride: inputs, rows: rows, sharing: columns, sum: sum, into: target, outputStride: outputs,
                in: arena)
            target += cross.outputs
            sum += cross.sharedOutputs
        }
        return UnsafePointer(body)
    }
}

extension ServedLayers {
    /// The deep net, batch normalisation within the layers.
    fileprivate func deep(_ model: RankerSpecification) throws(BlobError) -> DenseNet {
        let normalization = model.deep?.normalization ?? .none
        var (weights, norms): ([LayerWeights], [RowNorm?]) = ([], [])
        for index in (model.deep?.widths ?? []).indices {
            let name = "deep.\(index)"
            switch normalization {
            case .none:
                weights.append(try layer(name, .relu))
                norms.append(nil)
            case .batch:
                var own = try normalized(try layer(name), "\(name).norm")
                own.activation = .relu
                weights.append(own)
                norms.append(nil)
            case .layer:
                weights.append(try layer(name))
                norms.append(
                    RowNorm(
                        scale: try values("\(name).norm.scale"), shift: try values("\(name).norm.shift"),
                        activation: .relu))
            }
        }
        return DenseNet(weights, norms: norms)
    }

    /// A layer followed by its batch normalisation: `(y - mean) / deviation * scale + shift`.
    private func normalized(_ layer: LayerWeights, _ name: String) throws(BlobError) -> LayerWeights {
        let (scale, shift) = (try values("\(name).scale"), try values("\(name).shift"))
        let (mean, variance) = (try values("\(name).mean"), try values("\(name).variance"))
        // As in `Networks.BatchNorm`.
        let epsilon: Float = 1e-5
        let factor = zip(scale, variance).map { $0 / ($1 + epsilon).squareRoot() }
        return layer.followed(
            byFactor: factor, shift: zip(shift, zip(mean, factor)).map { $0 - $1.0 * $1.1 })
    }
}
