import Blobs
import Inference
import Kernels

/// Reads the layers of a ranking model's component, each to be held as was chosen for its matrix.
///
/// The `RankerModel` of the same file has been made before: shapes are known to fit.
struct ServedLayers {
    let file: SafetensorsFile
    /// By name of the matrix; float32 for those that are not there.
    let precisions: [String: Precision]

    /// `<name>.weight` and `<name>.bias`.
    func layer(_ name: String, _ activation: Activation = .identity) throws(BlobError) -> LayerWeights {
        var layer = try LayerWeights(file, name, activation: activation)
        layer.precision = precisions["\(name).weight"] ?? .float32
        return layer
    }

    /// `<name>.0` and following, ReLU after each.
    func chain(_ name: String, count: Int, last: Activation = .relu) throws(BlobError) -> [LayerWeights] {
        var layers: [LayerWeights] = []
        for index in 0..<count {
            layers.append(try layer("\(name).\(index)", index == count - 1 ? last : .relu))
        }
        return layers
    }

    /// A cross net's layers, `<name>.<layer>.weight`, `.bias`, and with a rank `.reduction`.
    func cross(_ name: String, layers count: Int) throws(BlobError) -> CrossNetV2 {
        var layers: [CrossNetV2.Weights] = []
        for index in 0..<count {
            let own = "\(name).\(index)"
            var weights = CrossNetV2.Weights(weight: try layer(own))
            if file.contains("\(own).reduction") { weights.reduction = try matrix("\(own).reduction") }
            layers.append(weights)
        }
        return CrossNetV2(layers)
    }

    /// A bare matrix, as a layer without bias.
    func matrix(_ name: String) throws(BlobError) -> LayerWeights {
        let values = try file.buffer(name, as: Float.self, shape: [nil, nil])
        let shape = try file.tensor(name).shape
        return LayerWeights(
            inputs: shape[0], outputs: shape[1], weight: values,
            bias: SharedBuffer([Float](repeating: 0, count: shape[1])), precision: precisions[name] ?? .float32)
    }

    /// The values of a tensor.
    func values(_ name: String) throws(BlobError) -> SharedBuffer<Float> {
        try file.buffer(name, as: Float.self)
    }
}
