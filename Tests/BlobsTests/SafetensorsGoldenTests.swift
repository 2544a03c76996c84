import Blobs
import Foundation
import Kernels
import Testing

/// Files exchanged with the reference implementation, in both directions.
@Suite struct SafetensorsGoldenTests {
    @Test func readsWhatTheReferenceLibraryWrote() throws {
        let file = try SafetensorsFile(path: "\(golden)/python.safetensors")
        #expect(file.metadata == ["made by": "safetensors", "text": "caf\u{e9} \"quoted\" \\ \u{1F600}\n"])
        #expect(file.tensors.count == 9)
        #expect(try file.tensor("floats").shape == [2, 3])
        let floats = try file.buffer("floats", as: Float.self, shape: [nil, 3])
        #expect(Array(floats) == [0.5, -1.25, 3, 1e-30, -0.0, 65504])
        #expect(floats[4].sign == .minus)
        #expect(try Array(file.buffer("keys", as: UInt64.self)) == [0, 1, .max, 1_234_567_890_123_456_789])
        #expect(try Array(file.buffer("signed", as: Int64.self)) == [.min, -1, .max])
        #expect(try Array(file.buffer("words", as: UInt16.self)) == [0, 65535, 258])
        #expect(try Array(file.buffer("small", as: Int8.self)) == [-128, 127, 0, 5, -5])
        #expect(try Array(file.buffer("counts", as: UInt32.self)) == [0, 1, 2, 3, 4, 5, 6])
        #expect(try Array(file.buffer("doubles", as: Double.self)) == [.leastNonzeroMagnitude, 1.0 / 3.0])
        #expect(try Array(file.buffer("scalar", as: Int32.self, shape: [])) == [7])
        #expect(try file.buffer("none", as: Float.self, shape: [0, 4]).isEmpty)
    }

    @Test(.enabled(if: python != nil, "needs the project's Python: scripts/python-env.sh"))
    func theReferenceLibraryReadsWhatWeWrote() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("ours.safetensors")
        var writer = SafetensorsWriter(metadata: ["note": "tab\t\"quote\" \\ \u{e9} \u{1F600}", "model": "two-tower"])
        writer.add("codes", [7, 255, 0] as [UInt8])
        writer.add("vectors", [0.5, -1.25, 3, 2, 0.125, -8] as [Float], shape: [2, 3])
        writer.add("item_key", SharedBuffer<UInt64>([5, .max]))
        writer.add("times", [-1, 1_700_000_000_000, 3] as [Int64])
        writer.add("halves", bytes: [0x00, 0x3C, 0x00, 0xC0], dataType: .float16, shape: [2])
        writer.add("empty", [] as [Float], shape: [0, 3])
        writer.add(strings: "title", bytes: SharedBuffer(Array("Caf\u{e9}Heat".utf8)), offsets: [0, 5, 9])
        try writer.write(to: path)
        let result = try run(try #require(python), ["\(golden)/check_ours.py", path])
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output == "all 8 tensors agree\n")
    }
}
