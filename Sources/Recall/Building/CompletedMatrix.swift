public import Blobs
import Catalog
import Kernels
public import Models

/// What a matrix completion came to.
public struct CompletedMatrix: Sendable {
    public let specification: MatrixCompletionSpecification
    let items: SharedBuffer<ItemKey>
    /// `[N, d]`, catalogue row order; zeros for an item of which nothing was observed.
    public let itemFactors: [Float]
    /// Mean weighted squared error with the regularisation's share.
    public let loss: Double
    /// Caps, and what they cut. For the manifest.
    public let figures: [String: Double]

    /// The tensors of the `als` component, which ``MatrixCompletionEncoder`` folds users in with: `item_key` U64 `[n]`
    /// ascending, the items with factors; `factors` F32 `[n, d]`; `gram` F32 `[d, d]`, factors^T factors; loss, alpha and
    /// regularisation as metadata.
    public func component() -> SafetensorsWriter {
        let d = specification.factors
        let known = knownItems
        let factors = known.flatMap { itemFactors[$0 * d..<($0 + 1) * d] }
        var writer = SafetensorsWriter(metadata: [
            "loss": specification.loss.rawValue, "alpha": String(specification.alpha),
            "regularization": String(specification.regularization),
        ])
        writer.add("item_key", known.map { items[$0].rawValue })
        writer.add("factors", factors, shape: [known.count, d])
        writer.add("gram", MatrixFit.gram(factors, dimension: d, threads: .one), shape: [d, d])
        return writer
    }

    /// Rows of the items that have factors, ascending.
    public var knownItems: [Int] {
        let d = specification.factors
        return items.indices.filter { row in itemFactors[row * d..<(row + 1) * d].contains { $0 != 0 } }
    }
}
