import Kernels
import Models

/// Finds one row's vector x, given the factors of the other side: the minimum of
///
///     sum_k w_k (x . y_k)^2 - 2 sum_k t_k (x . y_k) + x . gram x + lambda |x|^2
///
/// by conjugate gradients (Takács, Pilászy, Tikk, "Applications of the Conjugate Gradient Method for Implicit Feedback
/// Collaborative Filtering", RecSys 2011), without ever forming the matrix. Training and serving share it.
///
/// Implicit feedback: w = c - 1 = alpha like, t = c = 1 + alpha like, gram = factors^T factors. Explicit: w = 1, t = like, no
/// gram.
struct LeastSquaresSolver {
    let specification: MatrixCompletionSpecification
    /// `[n, d]`: the other side.
    let factors: UnsafePointer<Float>
    /// `[d, d]`: factors^T factors; not read for explicit feedback.
    let gram: UnsafePointer<Float>

    private var dimension: Int { specification.factors }
    private var isImplicit: Bool { specification.loss == .implicit }

    /// Memory for one thread's solutions.
    final class Scratch {
        fileprivate let residual: UnsafeMutablePointer<Float>
        fileprivate let direction: UnsafeMutablePointer<Float>
        fileprivate let image: UnsafeMutablePointer<Float>

        init(dimension: Int) {
            residual = .allocate(capacity: dimension)
            direction = .allocate(capacity: dimension)
            image = .allocate(capacity: dimension)
        }

        deinit {
            residual.deallocate()
            direction.deallocate()
            image.deallocate()
        }
    }

    /// Squared residual at which nothing is left to gain in single precision.
    private static let smallest: Float = 1e-20

    /// Brings `x` `[d]` nearer to the minimum by at most `steps` steps.
    ///
    /// - Parameters:
    ///   - rows: rows of the factors, each once.
    ///   - likes: like(u, i) of each.
    /// - Complexity: O(steps (d^2 + rows d)), no allocation.
    func improve(
        _ x: UnsafeMutablePointer<Float>, rows: UnsafeBufferPointer<UInt32>, likes: UnsafeBufferPointer<UInt8>,
        steps: Int, scratch: Scratch
    ) {
        let (r, p, image) = (scratch.residual, scratch.direction, scratch.image)
        // r = t Y - A x, the negative half gradient.
        applyCommon(x, into: r)
        kernels.scale(-1, r, r, count: dimension)
        for place in rows.indices {
            let (weight, target) = terms(likes[place])
            let y = vector(rows[place])
            kernels.axpy(target - weight * kernels.dot(x, y, count: dimension), y, r, count: dimension)
        }
        p.update(from: r, count: dimension)
        var square = kernels.dot(r, r, count: dimension)
        for _ in 0..<steps where square > Self.smallest {
            applyCommon(p, into: image)
            for place in rows.indices {
                let y = vector(rows[place])
                let weight = terms(likes[place]).weight
                kernels.axpy(weight * kernels.dot(p, y, count: dimension), y, image, count: dimension)
            }
            let step = square / kernels.dot(p, image, count: dimension)
            kernels.axpy(step, p, x, count: dimension)
            kernels.axpy(-step, image, r, count: dimension)
            let next = kernels.dot(r, r, count: dimension)
            kernels.scale(next / square, p, p, count: dimension)
            kernels.axpy(1, r, p, count: dimension)
            square = next
        }
    }

    private func vector(_ row: UInt32) -> UnsafePointer<Float> { factors + Int(row) * dimension }

    private func terms(_ like: UInt8) -> (weight: Float, target: Float) {
        guard isImplicit else { return (1, Float(like)) }
        let weight = specification.alpha * Float(like)
        return (weight, 1 + weight)
    }

    /// image = (gram + lambda) x: what is the same for all rows.
    private func applyCommon(_ x: UnsafePointer<Float>, into image: UnsafeMutablePointer<Float>) {
        if isImplicit {
            kernels.scan(query: x, rows: gram, count: dimension, width: dimension, scores: image)
            kernels.axpy(specification.regularization, x, image, count: dimension)
        } else {
            kernels.scale(specification.regularization, x, image, count: dimension)
        }
    }
}
