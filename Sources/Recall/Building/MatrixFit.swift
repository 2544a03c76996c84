import Kernels
import Models

/// User and item factors while they are fitted.
package struct MatrixFit: Sendable {
    private let completion: MatrixCompletion
    private let byUser: SparseRows
    private let byItem: SparseRows
    /// `[U, d]`; zeros for a user of whom nothing is observed.
    package private(set) var users: [Float]
    /// `[N, d]`; zeros for an item of which nothing is observed.
    package private(set) var items: [Float]

    private var specification: MatrixCompletionSpecification { completion.specification }
    private var threads: Threads { Threads(max(1, completion.threads)) }

    /// Rows that a thread takes at a time.
    private static let chunk = 64
    /// Factors start uniform in 0..<0.01.
    private static let start: Float = 0.01

    package init(_ completion: MatrixCompletion, _ byUser: SparseRows, _ byItem: SparseRows) {
        self.completion = completion
        self.byUser = byUser
        self.byItem = byItem
        let d = completion.specification.factors
        func initial(_ rows: SparseRows, stream: UInt64) -> [Float] {
            var random = SeededGenerator(seed: completion.seed, stream: stream)
            return (0..<rows.rows).flatMap { row -> [Float] in
                let values = (0..<d).map { _ in random.uniform() * Self.start }
                return rows.range(row).isEmpty ? values.map { _ in 0 } : values
            }
        }
        users = initial(byUser, stream: 1)
        items = initial(byItem, stream: 2)
    }

    /// A fit that goes on from given factors.
    package init(_ completion: MatrixCompletion, _ matrix: InterestMatrix, users: [Float], items: [Float]) {
        let d = completion.specification.factors
        precondition(users.count == matrix.byUser.rows * d && items.count == matrix.byItem.rows * d, "a vector a row")
        self.completion = completion
        byUser = matrix.byUser
        byItem = matrix.byItem
        self.users = users
        self.items = items
    }

    /// Fits the users to the items, then the items to the users.
    package mutating func iterate() {
        Self.improve(&users, byUser, to: items, specification, threads)
        Self.improve(&items, byItem, to: users, specification, threads)
    }

    private static func improve(
        _ side: inout [Float], _ rows: SparseRows, to other: [Float], _ specification: MatrixCompletionSpecification,
        _ threads: Threads
    ) {
        let d = specification.factors
        let gram = gram(other, dimension: d, threads: threads)
        side.withUnsafeMutableBufferPointer { side in
            other.withUnsafeBufferPointer { other in
                gram.withUnsafeBufferPointer { gram in
                    rows.withEntries { columns, likes in
                        guard let side = side.baseAddress, let other = other.baseAddress, let gram = gram.baseAddress
                        else { return }
                        let solver = LeastSquaresSolver(specification: specification, factors: other, gram: gram)
                        threads.forEach(0..<(rows.rows + chunk - 1) / chunk) {
                            LeastSquaresSolver.Scratch(dimension: d)
                        } _: { scratch, index in
                            for row in index * chunk..<min((index + 1) * chunk, rows.rows) {
                                let range = rows.range(row)
                                // Who likes nothing fits best with nothing.
                                if range.isEmpty { continue }
                                solver.improve(
                                    side + row * d, rows: .init(rebasing: columns[range]),
                                    likes: .init(rebasing: likes[range]), steps: specification.cgSteps,
                                    scratch: scratch)
                            }
                        }
                    }
                }
            }
        }
    }

    /// `[d, d]`: factors^T factors.
    static func gram(_ factors: [Float], dimension d: Int, threads: Threads) -> [Float] {
        [Float](unsafeUninitializedCapacity: d * d) { target, count in
            factors.withUnsafeBufferPointer { factors in
                let operand = MatrixOperand(factors, rows: factors.count / d, columns: d)
                if let base = target.baseAddress {
                    kernels.multiply(operand.transposed, operand, into: base, threads: threads)
                }
            }
            count = d * d
        }
    }

    /// What is minimised, divided by the sum of all weights: the mean weighted squared error and the regularisation's share.
    ///
    /// - Complexity: O(users d^2 + pairs d).
    package func loss() -> Double {
        let d = specification.factors
        let gram = Self.gram(items, dimension: d, threads: threads)
        let isImplicit = specification.loss == .implicit
        var (sum, weights) = (0.0, isImplicit ? Double(byUser.rows) * Double(byItem.rows) : 0)
        var image = [Float](repeating: 0, count: d)
        users.withUnsafeBufferPointer { users in
            items.withUnsafeBufferPointer { items in
                guard let users = users.baseAddress, let items = items.baseAddress else { return }
                for user in 0..<byUser.rows {
                    let x = users + user * d
                    if isImplicit {
                        // What it costs to give all items anything at all.
                        kernels.scan(query: x, rows: gram, count: d, width: d, scores: &image)
                        sum += Double(kernels.dot(x, image, count: d))
                    }
                    for entry in byUser.range(user) {
                        let score = Double(kernels.dot(x, items + Int(byUser.columns[entry]) * d, count: d))
                        let like = Double(byUser.values[entry])
                        let weight = isImplicit ? 1 + Double(specification.alpha) * like : 1
                        let error = (isImplicit ? 1 : like) - score
                        sum += weight * error * error - (isImplicit ? score * score : 0)
                        weights += isImplicit ? weight - 1 : 1
                    }
                }
            }
        }
        let squares = (users + items).reduce(0) { $0 + Double($1) * Double($1) }
        return weights > 0 ? (sum + Double(specification.regularization) * squares) / weights : 0
    }
}
