public import Kernels

extension Workspace {
    /// `a + b`, equal shapes.
    public func add(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.requireShape(of: b)
        let result = make(a.rows, a.columns)
        eachElement(a.count) { at, count in
            (result.values + at).update(from: a.values + at, count: count)
            kernels.axpy(1, b.values + at, result.values + at, count: count)
        }
        recorder?.record(result, from: a, b) { [unowned self] gradient in
            for input in [a, b] {
                guard let target = recorder?.gradient(of: input) else { continue }
                eachElement(a.count) { at, count in kernels.axpy(1, gradient + at, target + at, count: count) }
            }
        }
        return result
    }

    /// `a - b`, equal shapes.
    public func subtract(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.requireShape(of: b)
        let result = make(a.rows, a.columns)
        eachElement(a.count) { at, count in
            (result.values + at).update(from: a.values + at, count: count)
            kernels.axpy(-1, b.values + at, result.values + at, count: count)
        }
        recorder?.record(result, from: a, b) { [unowned self] gradient in
            for (input, sign) in [(a, Float(1)), (b, -1)] {
                guard let target = recorder?.gradient(of: input) else { continue }
                eachElement(a.count) { at, count in kernels.axpy(sign, gradient + at, target + at, count: count) }
            }
        }
        return result
    }

    /// `a * b + c` element by element, equal shapes: a step of a cross network.
    public func multiplyAdd(_ a: Tensor, _ b: Tensor, _ c: Tensor) -> Tensor {
        a.requireShape(of: b)
        a.requireShape(of: c)
        let result = make(a.rows, a.columns)
        eachElement(a.count) { at, count in
            (result.values + at).update(from: c.values + at, count: count)
            kernels.multiplyAdd(a.values + at, b.values + at, result.values + at, count: count)
        }
        recorder?.record(result, from: a, b, c) { [unowned self] gradient in
            for (input, factor) in [(a, b), (b, a)] {
                guard let target = recorder?.gradient(of: input) else { continue }
                eachElement(a.count) { at, count in
                    kernels.multiplyAdd(gradient + at, factor.values + at, target + at, count: count)
                }
            }
            recorder?.addGradient(consuming: gradient, to: c)
        }
        return result
    }

    /// Runs `body` with the first element and the number of elements of pieces of `count`, concurrently when there are
    /// enough.
    func eachElement(_ count: Int, _ body: (Int, Int) -> Void) {
        eachRows(count, width: 1) { body($0.lowerBound, $0.count) }
    }

    /// `a * b` element by element, equal shapes.
    public func multiply(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.requireShape(of: b)
        let result = make(a.rows, a.columns)
        eachElement(a.count) { at, count in
            kernels.multiply(a.values + at, b.values + at, result.values + at, count: count)
        }
        recorder?.record(result, from: a, b) { [unowned self] gradient in
            for (input, factor) in [(a, b), (b, a)] {
                guard let target = recorder?.gradient(of: input) else { continue }
                eachElement(a.count) { at, count in
                    kernels.multiplyAdd(gradient + at, factor.values + at, target + at, count: count)
                }
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
