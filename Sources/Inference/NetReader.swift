public import Blobs
public import Kernels

/// Makes nets of a snapshot's component, by the names that the blocks of `Networks` give their parameters.
///
/// Notes which layers may be served in bytes: a reader without precisions, run once, tells the names between which
/// `PrecisionChoice` chooses, and a reader with the choice makes the nets it was made for.
public struct NetReader: Sendable {
    public let file: SafetensorsFile
    /// By name of the layer; float32 for those that are not there.
    public let precisions: [String: Precision]
    /// Layers that may be bytes, in the order in which they were read.
    public private(set) var names: [String] = []

    public init(_ file: SafetensorsFile, precisions: [String: Precision] = [:]) {
        self.file = file
        self.precisions = precisions
    }

    /// An `MLP`: layers `<name>.0`, `<name>.1` and so on, as many as there are.
    ///
    /// - Parameters:
    ///   - last: Activation of the last layer; the others have `activation`.
    ///   - sharedInputs: See `DenseNet`.
    public mutating func dense(
        _ name: String, activation: Activation = .relu, last: Activation = .identity, sharedInputs: Int = 0
    ) throws(BlobError) -> DenseNet {
        let layers = try chain(name, activation, last)
        guard sharedInputs <= layers[0].inputs else {
            throw mismatch("\(name).0", "at least \(sharedInputs) inputs", layers[0])
        }
        var chosen: [Precision] = []
        for (index, layer) in layers.enumerated() { chosen.append(precision("\(name).\(index)", layer)) }
        return DenseNet(layers, precisions: chosen, sharedInputs: sharedInputs)
    }

    /// A `CrossNet`: `<name>.<layer>.weight` and `.bias`, with a rank also `.reduction`.
    public mutating func cross(_ name: String) throws(BlobError) -> CrossNetV2 {
        var layers: [CrossNetV2.Weights] = []
        var chosen: [Precision] = []
        repeat {
            let own = "\(name).\(layers.count)"
            let weight = try LayerWeights(file, own)
            var reduction: LayerWeights?
            if file.contains("\(own).reduction") { reduction = try matrix("\(own).reduction") }
            let width = layers.first?.weight.outputs ?? weight.outputs
            guard
                weight.outputs == width, (reduction ?? weight).inputs == width,
                reduction.map({ $0.outputs == weight.inputs }) ?? true
            else { throw mismatch(own, "[\(width), \(width)], or what a reduction to fewer columns leaves", weight) }
            layers.append(CrossNetV2.Weights(reduction: reduction, weight: weight))
            chosen.append(precision(own, weight))
        } while file.contains("\(name).\(layers.count).weight")
        return CrossNetV2(layers, precisions: chosen)
    }

    /// A `MixtureOfExperts` with towers: experts `<name>.expert.<e>`, gates `<name>.gate.<k>`, and an `MLP` for each task.
    ///
    /// The layers that may be bytes are `<name>.experts.<layer>`, all experts alike, `<name>.gates` and those of the towers.
    /// - Parameter towers: Names of the towers, task by task.
    public mutating func mixture(_ name: String, towers: [String]) throws(BlobError) -> MMoENet {
        var (experts, gates, ends): ([[LayerWeights]], [LayerWeights], [[LayerWeights]]) = ([], [], [])
        repeat {
            let own = "\(name).expert.\(experts.count)"
            let layers = try chain(own, .relu, .relu)
            let shapes = [experts.first ?? layers, layers].map { $0.map { [$0.inputs, $0.outputs] } }
            guard shapes[0] == shapes[1] else { throw mismatch(own, "the shapes of the first expert", layers[0]) }
            experts.append(layers)
        } while file.contains("\(name).expert.\(experts.count).0.weight")
        for (task, tower) in towers.enumerated() {
            let gate = try LayerWeights(file, "\(name).gate.\(task)")
            guard gate.inputs == experts[0][0].inputs, gate.outputs == experts.count else {
                throw mismatch("\(name).gate.\(task)", "[\(experts[0][0].inputs), \(experts.count)]", gate)
            }
            gates.append(gate)
            ends.append(try chain(tower, .relu, .identity))
            let width = experts[0].last?.outputs ?? 0
            guard ends[task][0].inputs == width else { throw mismatch("\(tower).0", "\(width) inputs", ends[task][0]) }
        }
        guard !towers.isEmpty else { throw BlobError(.mismatch, "\(file.path): mixture \"\(name)\" for no tasks") }
        var chosen = MMoENet.Precisions(experts: [], towers: [])
        for (index, layer) in experts[0].enumerated() {
            chosen.experts?.append(precision("\(name).experts.\(index)", layer))
        }
        chosen.gates = precision("\(name).gates", gates[0])
        for (tower, layers) in zip(towers, ends) {
            var own: [Precision] = []
            for (index, layer) in layers.enumerated() { own.append(precision("\(tower).\(index)", layer)) }
            chosen.towers?.append(own)
        }
        return MMoENet(experts: experts, gates: gates, towers: ends, precisions: chosen)
    }

    /// A `TargetAttention`: layers `<name>.0` and `<name>.out.<i>`, or the matrices `<name>.query` and `<name>.key`.
    ///
    /// - Parameter width: Columns of a query.
    public func attention(_ name: String, width: Int) throws(BlobError) -> AttentionNet {
        if file.contains("\(name).query") {
            let (query, key) = (try matrix("\(name).query"), try matrix("\(name).key"))
            guard query.inputs == width, key.inputs >= width, key.outputs == query.outputs else {
                throw mismatch("\(name).key", "[\(width) or more, \(query.outputs)]", key)
            }
            return AttentionNet(query: query, key: key)
        }
        let first = try LayerWeights(file, "\(name).0", activation: .relu)
        let rest = try chain("\(name).out", .relu, .identity)
        guard first.inputs >= 4 * width, rest[0].inputs == first.outputs, rest[rest.count - 1].outputs == 1 else {
            throw mismatch("\(name).0", "\(4 * width) inputs or more, then layers that end in one output", first)
        }
        return AttentionNet(layers: [first] + rest, width: width)
    }

    /// Layers `<name>.0` and following that fit together.
    private func chain(_ name: String, _ activation: Activation, _ last: Activation) throws(BlobError) -> [LayerWeights]
    {
        var layers: [LayerWeights] = []
        repeat {
            let own = "\(name).\(layers.count)"
            let layer = try LayerWeights(file, own, activation: activation)
            guard layers.last.map({ $0.outputs == layer.inputs }) ?? true else {
                throw mismatch(own, "\(layers.last?.outputs ?? 0) inputs", layer)
            }
            layers.append(layer)
        } while file.contains("\(name).\(layers.count).weight")
        layers[layers.count - 1].activation = last
        return layers
    }

    /// A bare matrix, `[inputs, outputs]`, as a layer without bias.
    private func matrix(_ name: String) throws(BlobError) -> LayerWeights {
        let values = try file.buffer(name, as: Float.self, shape: [nil, nil])
        let shape = try file.tensor(name).shape
        guard shape[1] > 0, values.allSatisfy(\.isFinite) else {
            throw BlobError(
                .mismatch, "\(file.path): tensor \"\(name)\": expected finite columns, found shape \(shape)")
        }
        return LayerWeights(
            inputs: shape[0], outputs: shape[1], weight: values,
            bias: SharedBuffer([Float](repeating: 0, count: shape[1])))
    }

    private mutating func precision(_ name: String, _ layer: LayerWeights) -> Precision {
        guard layer.outputs > 1 else { return .float32 }
        names.append(name)
        return precisions[name] ?? .float32
    }

    private func mismatch(_ name: String, _ expected: String, _ found: LayerWeights) -> BlobError {
        BlobError(
            .mismatch,
            "\(file.path): layer \"\(name)\": expected \(expected), found [\(found.inputs), \(found.outputs)]")
    }
}
