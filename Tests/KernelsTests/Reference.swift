import Kernels

/// Sizes around the widths of vector registers, tiles and panels.
let awkwardSizes = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100]

func randomFloats(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float(generator.normal()) * scale }
}

func randomBytes(_ count: Int, seed: UInt64) -> [Int8] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Int8.random(in: -127...127, using: &generator) }
}

/// Runs `body` with the elements of all arrays in place.
func withBuffers(_ arrays: [Float]..., body: ([UnsafeBufferPointer<Float>]) -> Void) {
    func open(_ rest: ArraySlice<[Float]>, _ opened: [UnsafeBufferPointer<Float>]) {
        guard let next = rest.first else { return body(opened) }
        next.withUnsafeBufferPointer { open(rest.dropFirst(), opened + [$0]) }
    }
    open(arrays[...], [])
}

/// A packed copy of a row-major `[rows, columns]` matrix.
func packed(_ matrix: [Float], rows: Int, columns: Int) -> PackedMatrix {
    matrix.withUnsafeBufferPointer { PackedMatrix(MatrixOperand($0, rows: rows, columns: columns)) }
}

/// The largest |x - y| / (1 + |y|); infinite when lengths differ or a value is NaN.
func worstError(_ found: [Float], _ expected: [Double]) -> Double {
    guard found.count == expected.count else { return .infinity }
    var worst = 0.0
    for (x, y) in zip(found, expected) {
        let error = abs(Double(x) - y) / (1 + abs(y))
        if !(error <= worst) { worst = error.isNaN ? .infinity : error }
    }
    return worst
}

/// a[n, k] * b[k, m] in double, straight from the definition.
func plainProduct(_ a: [Float], _ b: [Float], n: Int, k: Int, m: Int) -> [Double] {
    var c = [Double](repeating: 0, count: n * m)
    for i in 0..<n {
        for j in 0..<m {
            for p in 0..<k { c[i * m + j] += Double(a[i * k + p]) * Double(b[p * m + j]) }
        }
    }
    return c
}

func plainTranspose(_ a: [Float], rows: Int, columns: Int) -> [Float] {
    (0..<columns).flatMap { j in (0..<rows).map { i in a[i * columns + j] } }
}
