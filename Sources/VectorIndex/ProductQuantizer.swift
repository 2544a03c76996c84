import Kernels

/// Cuts a vector into subspaces and stands for each part by one of 16 codewords (Jegou et al. 2011; 4 bits as in Andre et
/// al. 2015).
struct ProductQuantizer: Sendable {
    let dimension: Int
    /// A multiple of 4, as the kernels want them; beyond the dimension, subspaces are zero.
    let subspaces: Int
    /// Elements of a subspace.
    let width: Int
    /// `[subspaces, width, 16]`.
    let codebook: SharedBuffer<Float>
    /// How much more an error along a vector costs its codes than one across it, 1...1000.
    let eta: Float

    /// Elements of all subspaces.
    var padded: Int { subspaces * width }

    /// Sums of more table entries would not fit 16 signed bits with the bias of a list.
    static let subspacesMax = 400
    /// k-means of 16 codewords gains nothing from more.
    private static let sampleMax = 65_536
    private static let iterations = 12

    /// Two elements a subspace up to 800 dimensions, as many more as it takes beyond.
    static func shape(dimension: Int) -> (subspaces: Int, width: Int) {
        let width = max(2, (dimension + subspacesMax - 1) / subspacesMax)
        return (((dimension + width - 1) / width + 3) / 4 * 4, width)
    }

    init(dimension: Int, codebook: SharedBuffer<Float>, eta: Float) {
        self.dimension = dimension
        self.eta = eta
        (subspaces, width) = Self.shape(dimension: dimension)
        self.codebook = codebook
    }

    /// Learns the codewords from residuals.
    ///
    /// - Parameters:
    ///   - vectors: `[n, d]`, in list order.
    ///   - centroids: `[lists, d]`.
    ///   - offsets: `[lists + 1]`.
    static func train(
        on vectors: SharedBuffer<Float>, dimension: Int, centroids: SharedBuffer<Float>, offsets: SharedBuffer<UInt64>,
        eta: Float, seed: UInt64, threads: Threads
    ) -> ProductQuantizer {
        let (subspaces, width) = shape(dimension: dimension)
        let count = vectors.count / dimension
        let sampled = min(count, sampleMax)
        var residuals = [Float](repeating: 0, count: sampled * subspaces * width)
        var list = 0
        for place in 0..<sampled {
            // Evenly over the rows, which lie list after list.
            let row = place * count / sampled
            while Int(offsets[list + 1]) <= row { list += 1 }
            for k in 0..<dimension {
                // Subspace by subspace: [subspaces, sampled, width].
                residuals[(k / width * sampled + place) * width + k % width] =
                    vectors[row * dimension + k] - centroids[list * dimension + k]
            }
        }
        let codebook = Memory<Float>(subspaces * width * SearchLayout.codes, filledWith: 0)
        residuals.withUnsafeBufferPointer { residuals in
            guard let points = residuals.baseAddress else { return }
            threads.forEach(0..<subspaces) { subspace in
                Codewords(width: width, seed: seed &+ UInt64(subspace), iterations: iterations).learn(
                    points + subspace * sampled * width, count: sampled,
                    into: codebook.base + subspace * width * SearchLayout.codes)
            }
        }
        return ProductQuantizer(dimension: dimension, codebook: codebook.shared, eta: eta)
    }
}

/// k-means of one subspace's 16 codewords.
private struct Codewords {
    let width: Int
    let seed: UInt64
    let iterations: Int

    /// - Parameters:
    ///   - points: `[count, width]`.
    ///   - codewords: `[width, 16]`, overwritten.
    func learn(_ points: UnsafePointer<Float>, count: Int, into codewords: UnsafeMutablePointer<Float>) {
        var random = SeededGenerator(seed: seed)
        for code in 0..<SearchLayout.codes {
            place(code, at: points + Int.random(in: 0..<count, using: &random) * width, in: codewords)
        }
        var codes = [UInt8](repeating: 0, count: count)
        for _ in 0..<iterations {
            kernels.nearestCodes(points, codewords: codewords, count: count, width: width, codes: &codes)
            var sums = [Double](repeating: 0, count: SearchLayout.codes * width)
            var sizes = [Int](repeating: 0, count: SearchLayout.codes)
            for (row, code) in codes.enumerated() {
                sizes[Int(code)] += 1
                for k in 0..<width { sums[Int(code) * width + k] += Double(points[row * width + k]) }
            }
            for code in 0..<SearchLayout.codes {
                if sizes[code] == 0 {
                    place(code, at: points + Int.random(in: 0..<count, using: &random) * width, in: codewords)
                    continue
                }
                for k in 0..<width {
                    codewords[k * SearchLayout.codes + code] = Float(sums[code * width + k] / Double(sizes[code]))
                }
            }
        }
    }

    private func place(_ code: Int, at point: UnsafePointer<Float>, in codewords: UnsafeMutablePointer<Float>) {
        for k in 0..<width { codewords[k * SearchLayout.codes + code] = point[k] }
    }
}
