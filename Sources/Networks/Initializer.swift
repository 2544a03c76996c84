import Kernels

/// Values a parameter starts from.
public enum Initializer: Sendable, Hashable {
    case zeros
    case ones
    /// Normal with this standard deviation: embeddings.
    case normal(deviation: Float)
    /// Normal with deviation sqrt(2 / inputs): layers before a ReLU (He et al., 2015).
    case he
    /// Uniform in +-sqrt(6 / (inputs + outputs)): other layers (Glorot and Bengio, 2010).
    case glorot

    /// Fills `[rows, columns]`; the generator's sequence decides everything random.
    func fill(
        _ values: UnsafeMutablePointer<Float>, rows: Int, columns: Int, generator: inout SeededGenerator
    ) {
        let count = rows * columns
        switch self {
        case .zeros: values.update(repeating: 0, count: count)
        case .ones: values.update(repeating: 1, count: count)
        case .normal(let deviation):
            for index in 0..<count { values[index] = deviation * Float(generator.normal()) }
        case .he:
            let deviation = (2 / Float(max(1, rows))).squareRoot()
            for index in 0..<count { values[index] = deviation * Float(generator.normal()) }
        case .glorot:
            let bound = (6 / Float(max(1, rows + columns))).squareRoot()
            for index in 0..<count { values[index] = bound * (2 * generator.uniform() - 1) }
        }
    }
}
