public import Blobs
import Features
import Inference
import Kernels

/// Cross tower and head of the three-tower model as a ranker runs them, one user before tiles of candidates: the numbers of
/// `ThreeTowerModel.head`, from the same parameters.
public final class PreRankHead: Sendable {
    /// Columns of a user's vector, of an item's, of the cross features.
    public let userWidth: Int
    public let itemWidth: Int
    public let features: Int
    private let cross: DenseNet
    /// The user's vector is the request's own input.
    private let hidden: DenseNet
    /// Click and watch time side by side.
    private let outputs: DenseNet

    /// Where the inputs of a tile's candidates go.
    public struct TileInputs {
        /// Items' vectors, `[rows, itemWidth]`, rows `vectorStride` floats apart.
        public let vectors: UnsafeMutablePointer<Float>
        public let vectorStride: Int
        /// Cross features, `[rows, features]`, rows `featureStride` floats apart.
        public let features: UnsafeMutablePointer<Float>
        public let featureStride: Int

        /// Where the cross features of one candidate go.
        public func features(of row: Int, count: Int) -> UnsafeMutableBufferPointer<Float> {
            UnsafeMutableBufferPointer(start: features + row * featureStride, count: count)
        }
    }

    /// What the head writes for one request.
    public final class Scratch {
        fileprivate let arena: InferenceArena
        /// What the user brings to the hidden layer.
        fileprivate let user: UnsafeMutableBufferPointer<Float>
        /// `[Tile.rows, itemWidth + crossWidth]`; items' vectors are to be put before each row.
        fileprivate let inputs: UnsafeMutableBufferPointer<Float>
        /// `[Tile.rows, headWidth + features]`; cross features are to be put after each row.
        fileprivate let mixed: UnsafeMutableBufferPointer<Float>
        fileprivate let results: UnsafeMutableBufferPointer<Float>

        public init(_ head: PreRankHead) {
            arena = InferenceArena(for: .either(.either(head.cross.need, head.hidden.need), head.outputs.need))
            user = .allocate(capacity: head.hidden.outputs)
            inputs = .allocate(capacity: Tile.rows * head.hidden.inputs)
            mixed = .allocate(capacity: Tile.rows * head.outputs.inputs)
            results = .allocate(capacity: Tile.rows * head.outputs.outputs)
            for memory in [user, inputs, mixed, results] { memory.initialize(repeating: 0) }
        }

        deinit {
            for memory in [user, inputs, mixed, results] { memory.deallocate() }
        }
    }

    /// - Parameters:
    ///   - file: The `prerank` component, of which a `ThreeTowerModel` has been made.
    public init(_ file: SafetensorsFile, _ specification: ThreeTowerSpecification) throws(BlobError) {
        userWidth = specification.user.layers.last ?? 0
        itemWidth = specification.item.layers.last ?? 0
        features = specification.cross.count
        cross = DenseNet([try LayerWeights(file, "cross", activation: .relu)])
        hidden = DenseNet([try LayerWeights(file, "head", activation: .relu)], sharedInputs: userWidth)
        outputs = DenseNet([.sideBySide([try LayerWeights(file, "click"), try LayerWeights(file, "watch")])])
    }

    /// Takes in a request's user.
    ///
    /// - Parameter vector: `[userWidth]`.
    public func begin(_ vector: UnsafeBufferPointer<Float>, in scratch: Scratch) {
        hidden.share(vector, into: scratch.user, in: scratch.arena)
    }

    /// Scores a tile of candidates.
    ///
    /// - Parameters:
    ///   - rows: At most `Tile.rows`.
    ///   - fill: Writes the candidates' inputs.
    ///   - results: Gets each candidate's log-odds of a click and log of the seconds watched, `[rows, 2]`.
    public func run(
        rows: Int, in scratch: Scratch,
        fill: (TileInputs) -> Void,
        results body: (UnsafePointer<Float>) -> Void
    ) {
        precondition(rows <= Tile.rows, "\(rows) rows in a tile of \(Tile.rows)")
        guard let inputs = scratch.inputs.baseAddress, let mixed = scratch.mixed.baseAddress,
            let results = scratch.results.baseAddress, rows > 0
        else { return }
        let (width, mixedWidth, headWidth) = (hidden.inputs, outputs.inputs, hidden.outputs)
        fill(
            TileInputs(
                vectors: inputs, vectorStride: width, features: mixed + headWidth, featureStride: mixedWidth))
        cross.runTile(
            mixed + headWidth, stride: mixedWidth, rows: rows, into: inputs + itemWidth, outputStride: width,
            in: scratch.arena)
        hidden.runTile(
            inputs, stride: width, rows: rows, sharing: scratch.user.baseAddress, into: mixed, outputStride: mixedWidth,
            in: scratch.arena)
        outputs.runTile(
            mixed, stride: mixedWidth, rows: rows, into: results, outputStride: 2, in: scratch.arena)
        body(results)
    }
}
