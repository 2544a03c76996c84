import Blobs
import Foundation
import Inference
import Kernels
import Testing

/// What make_golden.py stored.
struct Golden {
    let file: SafetensorsFile

    init() throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("golden")
        file = try SafetensorsFile(path: directory.appendingPathComponent("nets.safetensors").path)
    }

    func floats(_ name: String) throws -> [Float] {
        Array(try file.buffer(name, as: Float.self))
    }

    func rows(_ name: String) throws -> Int {
        try file.tensor(name).shape[0]
    }

    func layer(_ name: String, _ activation: Activation = .identity) throws -> LayerWeights {
        try LayerWeights(file, name, activation: activation)
    }

    /// The net's output for the stored `<name>.x`, against the stored `<name>.y`.
    func check(_ net: some TileNet, x: String, y: String, within bound: Float = 1e-4) throws {
        let rows = try rows(x)
        let found = net.run(try floats(x), rows: rows)
        try expectClose(found, try floats(y), within: bound)
        // Any number of rows gives these very rows, in an arena that has served others before.
        let arena = InferenceArena(for: net.need)
        let input = try floats(x)
        for count in [rows, 1, 0, 7, 48, 49] where count <= rows {
            var output = [Float](repeating: .nan, count: count * net.outputs + 1)
            input.withUnsafeBufferPointer { input in
                output.withUnsafeMutableBufferPointer { net.run(input, rows: count, into: $0, in: arena) }
            }
            #expect(Array(output.dropLast()).elementsEqual(found.prefix(count * net.outputs)) { abs($0 - $1) <= 1e-5 })
            #expect(output[count * net.outputs].isNaN)
        }
    }
}

func expectClose(_ found: [Float], _ expected: [Float], within bound: Float = 1e-4) throws {
    try #require(found.count == expected.count)
    let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= bound && !found.contains(where: \.isNaN))
}
