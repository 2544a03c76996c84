import Blobs
import Inference
import Kernels

/// One net with its input and the memory that a request would have.
final class NetCase {
    private let body: (UnsafeMutableBufferPointer<Float>) -> Void
    private(set) var output: [Float]

    init(outputs: Int, _ body: @escaping (UnsafeMutableBufferPointer<Float>) -> Void) {
        self.body = body
        output = Array(repeating: 0, count: outputs)
    }

    convenience init(_ net: some TileNet, input: SharedBuffer<Float>) {
        let arena = InferenceArena(for: net.need)
        let rows = input.count / net.inputs
        self.init(outputs: rows * net.outputs) { y in
            input.withUnsafeBufferPointer { net.run($0, rows: rows, into: y, in: arena) }
        }
    }

    func run() {
        output.withUnsafeMutableBufferPointer { body($0) }
    }
}

/// The measured nets by name; `.int8` has its wide layers in bytes.
struct NetCases {
    private let file: SafetensorsFile
    private var cases: [String: NetCase] = [:]

    subscript(name: String) -> NetCase? { cases[name] }

    init(_ file: SafetensorsFile) throws {
        self.file = file
        for precision in Precision.allCases {
            let suffix = precision == .int8 ? ".int8" : ""
            for name in ["prerank", "user"] {
                cases[name + suffix] = NetCase(try dense(name, precision), input: try floats("\(name).x"))
            }
            cases["mmoe" + suffix] = NetCase(try ranker(precision), input: try floats("mmoe.x"))
        }
        cases["din"] = try attention()
    }

    private func floats(_ name: String) throws -> SharedBuffer<Float> {
        try file.buffer(name, as: Float.self)
    }

    /// Layers `<name>.0` and following, ReLU between them.
    private func layers(_ name: String, last: Activation = .identity) throws -> [LayerWeights] {
        var result: [LayerWeights] = []
        while file.contains("\(name).\(result.count).weight") {
            let isLast = !file.contains("\(name).\(result.count + 1).weight")
            result.append(try LayerWeights(file, "\(name).\(result.count)", activation: isLast ? last : .relu))
        }
        return result
    }

    private func dense(_ name: String, _ precision: Precision) throws -> DenseNet {
        let layers = try layers(name)
        return DenseNet(layers, precisions: layers.map { _ in precision })
    }

    private func ranker(_ precision: Precision) throws -> SequenceNet {
        let cross = try layers("mmoe.cross").map { layer in
            var layer = layer
            layer.activation = .identity
            return CrossNetV2.Weights(weight: layer)
        }
        var (experts, gates, towers): ([[LayerWeights]], [LayerWeights], [[LayerWeights]]) = ([], [], [])
        while file.contains("mmoe.expert.\(experts.count).0.weight") {
            experts.append(try layers("mmoe.expert.\(experts.count)", last: .relu))
        }
        while file.contains("mmoe.gate.\(gates.count).weight") {
            gates.append(try LayerWeights(file, "mmoe.gate.\(gates.count)"))
            towers.append(try layers("mmoe.tower.\(towers.count)"))
        }
        let precisions = MMoENet.Precisions(
            experts: experts[0].map { _ in precision }, gates: precision,
            towers: towers.map { $0.map { _ in precision } })
        return SequenceNet([
            CrossNetV2(cross, precisions: cross.map { _ in precision }),
            MMoENet(experts: experts, gates: gates, towers: towers, precisions: precisions),
        ])
    }

    private func attention() throws -> NetCase {
        let (keys, queries) = (try floats("din.keys"), try floats("din.queries"))
        let width = try file.tensor("din.queries").shape[1]
        let net = AttentionNet(layers: try layers("din"), width: width)
        let (count, rows) = (keys.count / net.keyWidth, queries.count / width)
        let request = AttentionRequest(net, keysMax: count)
        // With the taking in of the history, which the peers' graphs contain too.
        return NetCase(outputs: rows * net.keyWidth) { y in
            keys.withUnsafeBufferPointer { request.begin($0, count: count) }
            queries.withUnsafeBufferPointer { request.run($0, rows: rows, into: y) }
        }
    }
}
