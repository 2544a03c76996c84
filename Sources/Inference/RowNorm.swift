public import Kernels

/// Layer normalisation after a layer (Ba, Kiros, Hinton 2016): each row less its mean, divided by its deviation, times `scale`,
/// plus `shift`, then the activation.
public struct RowNorm: Sendable {
    private let scale: SharedBuffer<Float>
    private let shift: SharedBuffer<Float>
    private let activation: Activation

    /// Added to the variance, as in `Networks.LayerNorm`.
    private static let epsilon: Float = 1e-5

    /// - Parameters: scale, shift: `[width]`.
    public init(scale: SharedBuffer<Float>, shift: SharedBuffer<Float>, activation: Activation) {
        precondition(!scale.isEmpty && scale.count == shift.count, "\(scale.count) factors, \(shift.count) terms")
        self.scale = scale
        self.shift = shift
        self.activation = activation
    }

    var width: Int { scale.count }

    /// - Parameter y: `[rows, width]`, rows `stride` floats apart, changed in place.
    func run(_ y: UnsafeMutablePointer<Float>, stride: Int, rows: Int) {
        let width = width
        for row in 0..<rows {
            let values = y + row * stride
            let mean = kernels.sum(values, count: width) / Float(width)
            for column in 0..<width { values[column] -= mean }
            let variance = kernels.dot(values, values, count: width) / Float(width)
            kernels.scale(1 / (variance + Self.epsilon).squareRoot(), values, values, count: width)
            kernels.multiply(values, scale.address, values, count: width)
            kernels.axpy(1, shift.address, values, count: width)
            kernels.activate(activation, values, values, count: width)
        }
    }
}
