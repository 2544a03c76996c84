import Blobs
import Foundation
import Kernels
import Testing
import VectorIndex

/// `[count, dimension]` random directions around `centres` random centres; unit length.
func clusteredVectors(_ count: Int, dimension: Int, centres: Int, seed: UInt64) -> SharedBuffer<Float> {
    var random = SeededGenerator(seed: 7)
    let middle = (0..<centres * dimension).map { _ in Float(random.normal()) }
    var own = SeededGenerator(seed: seed)
    var values: [Float] = []
    for _ in 0..<count {
        let centre = Int.random(in: 0..<centres, using: &own) * dimension
        let point = (0..<dimension).map { middle[centre + $0] + 0.7 * Float(own.normal()) }
        let norm = point.reduce(0) { $0 + $1 * $1 }.squareRoot()
        values += point.map { $0 / norm }
    }
    return SharedBuffer(values)
}

/// The best rows by plain sums in double precision: score descending, ties by ascending key.
func plainSearch(
    _ query: [Float], keys: [UInt64], vectors: SharedBuffer<Float>, limit: Int, excluded: Set<UInt64> = []
) -> [(key: UInt64, score: Double)] {
    let dimension = query.count
    let scored = keys.indices.filter { !excluded.contains(keys[$0]) }.map { row in
        let score = (0..<dimension).reduce(0.0) { $0 + Double(query[$1]) * Double(vectors[row * dimension + $1]) }
        return (key: keys[row], score: score)
    }
    return Array(scored.sorted { ($1.score, $0.key) < ($0.score, $1.key) }.prefix(limit))
}

/// Keys that are neither dense nor in row order.
func scatteredKeys(_ count: Int) -> [UInt64] {
    var random = SeededGenerator(seed: 99)
    return (0..<count).map { UInt64($0) * 977 + 3 }.shuffled(using: &random)
}

/// Calls `body` with the path of a file that is removed afterwards.
func withTemporaryFile<Result>(_ body: (String) throws -> Result) rethrows -> Result {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("vectors-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}
