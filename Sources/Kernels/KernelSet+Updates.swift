import CKernels

/// Adam's constants for one step (Kingma and Ba, 2015), with the bias corrections worked in.
public struct AdamStep: Sendable {
    let rule: ck_adam

    /// - Parameter step: counts from 1.
    public init(learningRate: Float, beta1: Float, beta2: Float, epsilon: Float, step: Int) {
        // In double: 1 - beta2^t loses digits in float for the first steps.
        let first = 1 - power(Double(beta1), step)
        let second = (1 - power(Double(beta2), step)).squareRoot()
        rule = ck_adam(
            learning_rate: Float(Double(learningRate) * second / first), beta1: beta1, beta2: beta2,
            epsilon: Float(Double(epsilon) * second))
    }
}

extension KernelSet {
    /// One Adam step: m, v are the running means of the gradient and of its square.
    ///
    /// - Parameters: gradient, weights, m, v: `[count]`; all but the gradient are updated.
    public func adam(
        _ step: AdamStep, gradient: UnsafePointer<Float>, weights: UnsafeMutablePointer<Float>,
        m: UnsafeMutablePointer<Float>, v: UnsafeMutablePointer<Float>, count: Int
    ) {
        withUnsafePointer(to: step.rule) { table.pointee.adam($0, gradient, weights, m, v, count) }
    }

    /// One Adagrad step (Duchi et al., 2011): `accumulator += g^2; w -= learningRate * g / (sqrt(accumulator) + epsilon)`.
    public func adagrad(
        learningRate: Float, epsilon: Float, gradient: UnsafePointer<Float>, weights: UnsafeMutablePointer<Float>,
        accumulator: UnsafeMutablePointer<Float>, count: Int
    ) {
        table.pointee.adagrad(learningRate, epsilon, gradient, weights, accumulator, count)
    }
}
