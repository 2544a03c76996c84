public import Kernels

extension Workspace {
    /// `a + b`, equal shapes.
    public func add(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.requireShape(of: b)
        let result = make(a.rows, a.columns)
        result.values.update(from: a.values, count: a.count)
        kernels.axpy(1, b.values, result.values, count: a.count)
        recorder?.record(result, from: a, b) { [unowned self] gradient in
            for input in [a, b] {
                if let target = recorder?.gradient(of: input) { kernels.axpy(1, gradient, target, count: a.count) }
            }
        }
        return result
    }

    /// `a * b` element by element, equal shapes.
    public func multiply(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.requireShape(of: b)
        let result = make(a.rows, a.columns)
        kernels.multiply(a.values, b.values, result.values, count: a.count)
        recorder?.record(result, from: a, b) { [unowned self] gradient in
            if let target = recorder?.gradient(of: a) {
                kernels.multiplyAdd(gradient, b.values, target, count: a.count)
            }
            if let target = recorder?.gradient(of: b) {
                kernels.multiplyAdd(gradient, a.values, target, count: a.count)
            }
        }
        return result
    }

    /// `factor * x`.
    public func scale(_ x: Tensor, by factor: Float) -> Tensor {
        let result = make(x.rows, x.columns)
        kernels.scale(factor, x.values, result.values, count: x.count)
        recorder?.record(result, from: x) { [unowned self] gradient in
            kernels.scale(factor, gradient, gradient, count: x.count)
            recorder?.addGradient(consuming: gradient, to: x)
        }
        return result
    }

    /// `f(x)` element by element.
    public func activate(_ x: Tensor, _ activation: Activation) -> Tensor {
        let result = make(x.rows, x.columns)
        eachRows(x.rows, width: x.columns) { range in
            let at = range.lowerBound * x.columns
            kernels.activate(activation, x.values + at, result.values + at, count: range.count * x.columns)
        }
        recorder?.record(result, from: x) { [unowned self] gradient in
            eachRows(x.rows, width: x.columns) { range in
                let (at, count) = (range.lowerBound * x.columns, range.count * x.columns)
                kernels.activateGradient(
                    activation, output: result.values + at, gradient: gradient + at, gradient + at, count: count)
            }
            recorder?.addGradient(consuming: gradient, to: x)
        }
        return result
    }

    /// The sum of all elements, `[1, 1]`.
    public func sum(_ x: Tensor) -> Tensor {
        let result = make(1, 1)
        result.values[0] = kernels.sum(x.values, count: x.count)
        recorder?.record(result, from: x) { [unowned self] gradient in
            guard let target = recorder?.gradient(of: x) else { return }
            for index in 0..<x.count { target[index] += gradient[0] }
        }
        return result
    }

    /// In training, sets each element to 0 with this probability and divides the others by 1 - probability, by the
    /// tape's generator; in a plain workspace, x itself.
    public func dropout(_ x: Tensor, probability: Float) -> Tensor {
        precondition(probability >= 0 && probability < 1, "a dropout probability lies in 0..<1")
        guard let tape = recorder, probability > 0 else { return x }
        let mask = make(x.rows, x.columns)
        let keep = 1 / (1 - probability)
        let values = mask.values
        for index in 0..<x.count { values[index] = tape.generator.uniform() < probability ? 0 : keep }
        return multiply(x, mask)
    }
}

extension Tensor {
    func requireShape(of other: Tensor) {
        precondition(
            rows == other.rows && columns == other.columns,
            "shapes [\(rows), \(columns)] and [\(other.rows), \(other.columns)] differ")
    }
}
