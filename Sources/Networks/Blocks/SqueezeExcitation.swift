import Kernels

/// Weights for the fields of a row (SENet of Hu et al., CVPR 2018, as in FiBiNet): mean of each field, a layer with ReLU to
/// m / r, a layer with a sigmoid back to m. Fields may differ in width.
public struct SqueezeExcitation: Sendable {
    public let layout: FieldLayout
    private let squeeze: Dense
    private let excite: Dense

    /// Layers `<name>.squeeze` and `<name>.excite`.
    ///
    /// - Parameter reduction: r; the hidden layer has m / r outputs, at least one.
    public init(
        _ name: String, layout: FieldLayout, reduction: Int = 3, in parameters: ParameterSet
    ) throws(NetworkError) {
        precondition(reduction > 0, "\(name): the reduction is positive")
        let hidden = max(1, layout.count / reduction)
        self.layout = layout
        squeeze = try Dense(
            "\(name).squeeze", inputs: layout.count, outputs: hidden, activation: .relu, in: parameters)
        excite = try Dense(
            "\(name).excite", inputs: hidden, outputs: layout.count, activation: .sigmoid, in: parameters)
    }

    /// The fields re-weighted.
    ///
    /// - Parameter x: `[n, layout.columns]`.
    public func callAsFunction(_ x: Tensor, in workspace: Workspace) -> Tensor {
        workspace.scaleFields(x, layout, by: weights(x, in: workspace))
    }

    /// `[n, fields]`, in 0...1.
    public func weights(_ x: Tensor, in workspace: Workspace) -> Tensor {
        excite(squeeze(workspace.fieldMeans(x, layout), in: workspace), in: workspace)
    }

    public var operations: Int { squeeze.operations + excite.operations + 2 * layout.columns }
}

extension Dense {
    /// Floating-point operations for a row: a multiplication and an addition for each weight.
    public var operations: Int { 2 * weight.count + outputs }
}

extension MLP {
    /// Floating-point operations for a row.
    public var operations: Int { layers.reduce(0) { $0 + $1.operations } }
}
