public import Kernels

/// A workspace that remembers what was computed, so that gradients can be computed from the result back to the
/// parameters (reverse-mode differentiation). One thread at a time; operations may use `threads` inside.
///
/// The same seed, parameters, inputs and calls give the same gradients, whatever the number of threads.
public final class Tape: Workspace {
    /// Gradient arrays of the tensors; nil until something is added to one.
    private var gradients: [UnsafeMutablePointer<Float>?] = []
    /// Whether a tensor depends on anything trained.
    private var isTracked: [Bool] = []
    private var steps: [Step] = []
    private let gradientArena = FloatArena()
    /// Draws dropout masks.
    var generator: SeededGenerator

    private struct Step {
        var result: Tensor
        /// Adds to the gradients of the inputs; its argument is the gradient of the result, complete, which the step
        /// may overwrite.
        var backward: (UnsafeMutablePointer<Float>) -> Void
    }

    public init(seed: UInt64, threads: Threads = .one) {
        generator = SeededGenerator(seed: seed)
        super.init(threads: threads)
    }

    override var recorder: Tape? { self }

    public override func reset() {
        super.reset()
        gradientArena.reset()
        gradients.removeAll(keepingCapacity: true)
        isTracked.removeAll(keepingCapacity: true)
        steps.removeAll(keepingCapacity: true)
    }

    /// Adds the gradient of `loss` `[1, 1]` to the gradients of every trained parameter it depends on.
    ///
    /// Gradients add up over calls until the optimizer's step. Call once between resets.
    public func backward(from loss: Tensor) {
        precondition(loss.count == 1, "the loss must be one number, found [\(loss.rows), \(loss.columns)]")
        guard let seed = gradient(of: loss) else { return }
        seed[0] = 1
        for step in steps.reversed() {
            if let gradient = gradients[step.result.index] { step.backward(gradient) }
        }
    }

    /// A copy of a tracked input's gradient after `backward`; zeros when the loss does not depend on it. (The gradients
    /// of results are overwritten on the way.)
    public func gradientArray(of tensor: Tensor) -> [Float] {
        precondition(tensor.lives(in: arena), "the gradient of a tensor of another workspace or run")
        guard tensor.index < gradients.count, let gradient = gradients[tensor.index] else {
            return Array(repeating: 0, count: tensor.count)
        }
        return Array(UnsafeBufferPointer(start: gradient, count: tensor.count))
    }

    /// Makes an input's gradient available after `backward`.
    public func track(_ tensor: Tensor) {
        precondition(tensor.lives(in: arena), "tracking a tensor of another workspace or run")
        extend(to: tensor.index)
        isTracked[tensor.index] = true
    }

    /// Records a step when the result depends on something trained: a tracked input or `isTrained` parameters.
    func record(
        _ result: Tensor, from inputs: Tensor..., isTrained: Bool = false,
        backward: @escaping (UnsafeMutablePointer<Float>) -> Void
    ) {
        record(result, from: inputs, isTrained: isTrained, backward: backward)
    }

    func record(
        _ result: Tensor, from inputs: [Tensor], isTrained: Bool,
        backward: @escaping (UnsafeMutablePointer<Float>) -> Void
    ) {
        guard isTrained || inputs.contains(where: depends) else { return }
        track(result)
        steps.append(Step(result: result, backward: backward))
    }

    /// Where to add to a tensor's gradient; nil when nobody needs it.
    func gradient(of tensor: Tensor) -> UnsafeMutablePointer<Float>? {
        guard depends(tensor) else { return nil }
        if let existing = gradients[tensor.index] { return existing }
        let zeros = gradientArena.zeros(tensor.count)
        gradients[tensor.index] = zeros
        return zeros
    }

    /// Where to write or add a tensor's gradient: undefined memory to overwrite when nothing was added yet.
    func gradientTarget(of tensor: Tensor) -> (values: UnsafeMutablePointer<Float>, accumulate: Bool)? {
        guard depends(tensor) else { return nil }
        if let existing = gradients[tensor.index] { return (existing, true) }
        let memory = gradientArena.take(tensor.count)
        gradients[tensor.index] = memory
        return (memory, false)
    }

    /// Adds `values` to a tensor's gradient, or makes them its gradient when nothing was added yet.
    ///
    /// - Parameter values: `[tensor.count]`, not used by the caller afterwards, valid until `reset`.
    func addGradient(consuming values: UnsafeMutablePointer<Float>, to tensor: Tensor) {
        guard depends(tensor) else { return }
        if let existing = gradients[tensor.index] {
            kernels.axpy(1, values, existing, count: tensor.count)
        } else {
            gradients[tensor.index] = values
        }
    }

    /// A tensor of another workspace is a constant here.
    private func depends(_ tensor: Tensor) -> Bool {
        tensor.lives(in: arena) && tensor.index < isTracked.count && isTracked[tensor.index]
    }

    private func extend(to index: Int) {
        while isTracked.count <= index {
            isTracked.append(false)
            gradients.append(nil)
        }
    }
}
