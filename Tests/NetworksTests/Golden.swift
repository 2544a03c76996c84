import Blobs
import Foundation
import Kernels
import Networks
import Testing

/// Tensors that make_golden.py stored under `<name>/`.
struct Golden {
    let file: SafetensorsFile
    let name: String

    init(_ name: String, file: String = "operations") throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("golden")
        self.file = try SafetensorsFile(path: directory.appendingPathComponent("\(file).safetensors").path)
        self.name = name
    }

    func contains(_ key: String) -> Bool { file.contains("\(name)/\(key)") }

    func floats(_ key: String) throws -> [Float] {
        Array(try file.buffer("\(name)/\(key)", as: Float.self))
    }

    func shape(_ key: String) throws -> [Int] {
        try file.tensor("\(name)/\(key)").shape
    }

    func rows(_ key: String) throws -> [UInt32] {
        Array(try file.buffer("\(name)/\(key)", as: UInt32.self))
    }

    func integers(_ key: String) throws -> [Int] {
        try file.buffer("\(name)/\(key)", as: Int64.self).map { Int($0) }
    }

    /// The stored matrix as a tensor whose gradient will be kept.
    func input(_ key: String, on tape: Tape) throws -> Tensor {
        let shape = try shape(key)
        let tensor = tape.input(try floats(key), columns: shape[1])
        tape.track(tensor)
        return tensor
    }

    func matrix(_ key: String, in parameters: ParameterSet) throws -> DenseParameter {
        let shape = try shape(key)
        let parameter = try parameters.matrix(key, rows: shape[0], columns: shape[1], initial: .zeros)
        parameter.assign(try floats(key))
        return parameter
    }

    func table(_ key: String, in parameters: ParameterSet) throws -> EmbeddingTable {
        let shape = try shape(key)
        let table = try parameters.table(key, rows: shape[0], width: shape[1], initial: .zeros)
        table.assign(try floats(key))
        return table
    }

    /// Differentiates sum(y * upstream) on the tape and compares y and every gradient with the stored ones.
    func check(
        _ y: Tensor, on tape: Tape, inputs: [String: Tensor] = [:], matrices: [DenseParameter] = [],
        tables: [EmbeddingTable] = [], tolerance: Float = 2e-6, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try floats("y")
        #expect(y.count == expected.count, sourceLocation: sourceLocation)
        #expect(worstDifference(y.array, expected) < tolerance, "\(name): y", sourceLocation: sourceLocation)
        let upstream = tape.input(try floats("upstream"), columns: y.columns)
        tape.backward(from: tape.sum(tape.multiply(y, upstream)))
        var found = inputs.mapValues { tape.gradientArray(of: $0) }
        for matrix in matrices { found[matrix.name] = matrix.gradientArray }
        for table in tables { found[table.name] = table.gradientArray }
        for (key, gradient) in found {
            let error = worstDifference(gradient, try floats("grad.\(key)"))
            #expect(error < tolerance, "\(name): gradient of \(key)", sourceLocation: sourceLocation)
        }
        #expect(found.count > 0, sourceLocation: sourceLocation)
    }
}

/// The largest |x - y| / (1 + |y|); infinite when lengths differ or a value is NaN.
func worstDifference(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    var worst: Float = 0
    for (x, y) in zip(found, expected) {
        let error = abs(x - y) / (1 + abs(y))
        if !(error <= worst) { worst = error.isNaN ? .infinity : error }
    }
    return worst
}
