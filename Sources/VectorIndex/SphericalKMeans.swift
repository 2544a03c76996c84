import Kernels

/// k-means on the unit sphere (Dhillon and Modha 2001): points go to the centroid of greatest inner product, centroids
/// are their points' normalised sum.
///
/// Repeatable: the sample and the first centroids come from a seed, and sums run in row order whatever the number of
/// threads.
struct SphericalKMeans {
    private let dimension: Int
    private let lists: Int
    private let iterations: Int
    private let threads: Threads
    private var random: SeededGenerator
    /// `[s, d]`: the sample, shuffled.
    private let sample: SharedBuffer<Float>

    init(_ vectors: SharedBuffer<Float>, dimension: Int, options: VectorIndexOptions) {
        let count = vectors.count / dimension
        self.dimension = dimension
        lists = min(options.lists ?? Int(4 * Double(count).squareRoot()), count)
        iterations = options.iterations
        threads = Threads(max(1, options.threads))
        random = SeededGenerator(seed: options.seed)
        let rows = (0..<count).shuffled(using: &random).prefix(lists * options.sampleMax)
        sample = vectors.gather(Array(rows), width: dimension)
    }

    /// `[lists, d]`, unit length.
    func centroids() -> SharedBuffer<Float> {
        var generator = random
        var centroids = sample[shared: 0..<lists * dimension]
        for _ in 0..<iterations {
            let nearest = ListAssignment(centroids, dimension: dimension, threads: threads).lists(of: sample)
            centroids = means(of: nearest, random: &generator)
        }
        return centroids
    }

    private func means(of assignment: [UInt32], random: inout SeededGenerator) -> SharedBuffer<Float> {
        var sums = [Float](repeating: 0, count: lists * dimension)
        sample.withUnsafeBufferPointer { sample in
            sums.withUnsafeMutableBufferPointer { sums in
                for (row, list) in assignment.enumerated() {
                    let (from, to) = (row * dimension, Int(list) * dimension)
                    for k in 0..<dimension { sums[to + k] += sample[from + k] }
                }
            }
        }
        for list in 0..<lists {
            let range = list * dimension..<(list + 1) * dimension
            let norm = sums[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
            if norm > 0 {
                for k in range { sums[k] /= norm }
            } else {
                // Nothing chose it, or its points cancel out: it starts anew from a point of the sample.
                let row = Int.random(in: 0..<assignment.count, using: &random)
                sums.replaceSubrange(range, with: sample[shared: row * dimension..<(row + 1) * dimension])
            }
        }
        return SharedBuffer(sums)
    }
}

/// Finds the centroid of greatest inner product for each of many vectors.
struct ListAssignment {
    private let dimension: Int
    private let count: Int
    /// `[d, lists]`.
    private let centroids: PackedMatrix
    private let threads: Threads

    /// Vectors multiplied with all centroids at once.
    private static let tile = 24

    /// - Parameter centroids: `[lists, d]`.
    init(_ centroids: SharedBuffer<Float>, dimension: Int, threads: Threads) {
        self.dimension = dimension
        self.threads = threads
        count = centroids.count / dimension
        self.centroids = centroids.withUnsafeBufferPointer {
            PackedMatrix(MatrixOperand($0, rows: centroids.count / dimension, columns: dimension).transposed)
        }
    }

    /// The centroid of each vector; the first of equally near ones.
    ///
    /// - Complexity: O(n lists d).
    func lists(of vectors: SharedBuffer<Float>) -> [UInt32] {
        let rows = vectors.count / dimension
        return [UInt32](unsafeUninitializedCapacity: rows) { target, initialized in
            threads.forEach(0..<(rows + Self.tile - 1) / Self.tile) {
                Lane(tile: Self.tile, lists: count)
            } _: { lane, index in
                nearest(index * Self.tile..<min((index + 1) * Self.tile, rows), of: vectors, lane, into: target)
            }
            initialized = rows
        }
    }

    /// What one thread needs to score a tile of vectors.
    private final class Lane {
        /// `[tile, lists]`.
        let scores: UnsafeMutablePointer<Float>
        /// `[lists]`; the kernel that fills it may write 8 entries too many.
        let positions: UnsafeMutablePointer<UInt32>

        init(tile: Int, lists: Int) {
            scores = .allocate(capacity: tile * lists)
            positions = .allocate(capacity: lists + 8)
        }

        deinit {
            scores.deallocate()
            positions.deallocate()
        }
    }

    private func nearest(
        _ rows: Range<Int>, of vectors: SharedBuffer<Float>, _ lane: Lane,
        into target: UnsafeMutableBufferPointer<UInt32>
    ) {
        vectors[shared: rows.lowerBound * dimension..<rows.upperBound * dimension].withUnsafeBufferPointer { points in
            kernels.multiply(
                MatrixOperand(points, rows: rows.count, columns: dimension), centroids, into: lane.scores)
        }
        for (place, row) in rows.enumerated() {
            let scores = lane.scores + place * count
            let peak = kernels.maximum(scores, count: count)
            let found = kernels.collect(scores, count: count, threshold: peak, positions: lane.positions)
            target[row] = found > 0 ? lane.positions[0] : 0
        }
    }
}
