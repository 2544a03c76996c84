import Blobs
import Foundation
import Kernels
import Testing

/// A file's bytes, as a hostile peer might have made them.
struct HostileFile: Sendable, CustomTestStringConvertible {
    var header: String
    var dataSize: Int
    /// What the refusal must say.
    var complaint: String
    var code = BlobError.Code.corrupt

    var bytes: [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8)
            + [UInt8](repeating: 1, count: dataSize)
    }
    var testDescription: String { "\(header) + \(dataSize) bytes" }
}

@Suite struct SafetensorsFileTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func opensWhatItWrote() throws {
        var writer = SafetensorsWriter(metadata: ["key": "value"])
        writer.add("b", [1, 2, 3] as [UInt8])
        writer.add("a", [1.5, 2.5] as [Float], shape: [2, 1])
        writer.add("c", [9] as [UInt64])
        writer.add("lazy", (0..<5).lazy.map { UInt16($0 * 2) })
        let path = directory.file("x.safetensors")
        try writer.write(to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.size == writer.size)
        #expect(file.tensors.map(\.name) == ["c", "a", "lazy", "b"])
        #expect(file.tensors[0].range.lowerBound % 64 == 0)
        #expect(try Array(file.buffer("a", as: Float.self, shape: [nil, 1])) == [1.5, 2.5])
        #expect(try Array(file.buffer("lazy", as: UInt16.self)) == [0, 2, 4, 6, 8])
        #expect(try Array(file.bytes("b")) == [1, 2, 3])
        #expect(file.metadata == ["key": "value"])
        #expect(file.contains("c") && !file.contains("d"))
    }

    @Test func sameTensorsGiveSameBytesInAnyOrder() throws {
        var first = SafetensorsWriter(metadata: ["a": "1", "b": "2"])
        first.add("x", [1, 2] as [Float])
        first.add("y", [3] as [Float])
        var second = SafetensorsWriter(metadata: ["b": "2", "a": "1"])
        second.add("y", SharedBuffer<Float>([3]))
        second.add("x", SharedBuffer<Float>([1, 2]))
        try first.write(to: directory.file("1"))
        try second.write(to: directory.file("2"))
        #expect(
            try Data(contentsOf: URL(filePath: directory.file("1")))
                == Data(contentsOf: URL(filePath: directory.file("2"))))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == ["1", "2"])
    }

    @Test func buffersOutliveTheFile() throws {
        var buffer = SharedBuffer<UInt32>()
        do {
            var writer = SafetensorsWriter()
            writer.add("x", (0..<10_000).map { UInt32($0) })
            try writer.write(to: directory.file("x"))
            buffer = try SafetensorsFile(path: directory.file("x")).buffer("x", as: UInt32.self)
            try FileManager.default.removeItem(atPath: directory.file("x"))
        }
        #expect(buffer[9_999] == 9_999)
    }

    @Test func refusesTheWrongTypeShapeOrName() throws {
        var writer = SafetensorsWriter()
        writer.add("x", [1, 2, 3, 4] as [Float], shape: [2, 2])
        let path = directory.file("x.safetensors")
        try writer.write(to: path)
        let file = try SafetensorsFile(path: path)
        expectRefusal(.mismatch, "\(path): tensor \"x\": expected U32, found F32") {
            _ = try file.buffer("x", as: UInt32.self)
        }
        expectRefusal(.mismatch, "\(path): tensor \"x\": expected shape [any, 3], found [2, 2]") {
            _ = try file.buffer("x", as: Float.self, shape: [nil, 3])
        }
        expectRefusal(.mismatch, "\(path): tensor \"x\": expected shape [4], found [2, 2]") {
            _ = try file.buffer("x", as: Float.self, shape: [4])
        }
        expectRefusal(.missing, "\(path): no tensor \"y\" among its 1: x") {
            _ = try file.buffer("y", as: Float.self)
        }
    }

    @Test func refusesMisalignedElements() throws {
        // Nine bytes of header: the float begins at offset 8 + 66.
        let header = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        let hostile = HostileFile(header: header + " ", dataSize: 4, complaint: "")
        let start = 8 + header.utf8.count + 1
        try #require(!start.isMultiple(of: 4))
        let path = try directory.write(hostile.bytes, to: "x")
        let file = try SafetensorsFile(path: path)
        expectRefusal(.corrupt, "\(path): tensor \"x\" at offset \(start): expected a multiple of 4") {
            _ = try file.buffer("x", as: Float.self)
        }
        #expect(try file.bytes("x").count == 4)
    }

    @Test(arguments: [
        HostileFile(header: "", dataSize: 0, complaint: "expected '{', found the end of the header"),
        HostileFile(header: "[]", dataSize: 0, complaint: "expected '{', found '['"),
        HostileFile(header: "{}x", dataSize: 0, complaint: "expected the end of the header, found 'x'"),
        HostileFile(header: "{}", dataSize: 1, complaint: "expected the file to end at offset 10, found 11"),
        HostileFile(header: #"{"x":1}"#, dataSize: 0, complaint: "expected '{', found '1'"),
        HostileFile(header: #"{"x"#, dataSize: 0, complaint: "string without an end"),
        HostileFile(header: #"{"\ud800":{}}"#, dataSize: 0, complaint: "half a surrogate pair"),
        HostileFile(header: #"{"\u12":{}}"#, dataSize: 0, complaint: "expected four hexadecimal digits"),
        HostileFile(header: "{\"a\u{1}\":{}}", dataSize: 0, complaint: "control character in a string"),
        HostileFile(header: #"{"x":{}}"#, dataSize: 0, complaint: "expected dtype, shape and data_offsets"),
        HostileFile(
            header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"y":1}}"#, dataSize: 4,
            complaint: #"unknown key "y""#),
        HostileFile(
            header: #"{"x":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, dataSize: 4,
            complaint: #"the key "dtype" appears twice"#),
        HostileFile(
            header: #"{"x":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}"#, dataSize: 4,
            complaint: #"element type "Q4" is not supported"#, code: .unsupported),
        HostileFile(
            header: #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, dataSize: 4,
            complaint: "expected 8 bytes for F32 [2], found 4"),
        HostileFile(
            header: #"{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, dataSize: 0,
            complaint: "expected a countable number of bytes"),
        HostileFile(
            header: #"{"x":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, dataSize: 4,
            complaint: "number too large"),
        HostileFile(
            header: #"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, dataSize: 4,
            complaint: "expected a whole number, found '-'"),
        HostileFile(
            header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, dataSize: 4,
            complaint: "expected two ascending data_offsets of at most 4, found [4, 8]"),
        HostileFile(
            header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, dataSize: 4,
            complaint: "expected two ascending data_offsets of at most 4, found [4, 0]"),
        HostileFile(
            header: #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4]}}"#, dataSize: 4,
            complaint: "expected two ascending data_offsets of at most 4, found [4]"),
        HostileFile(
            header:
                #"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
            dataSize: 3, complaint: #"tensor "y" overlaps the one before"#),
        HostileFile(
            header:
                #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
            dataSize: 3, complaint: #"tensor "y" leaves a gap before it"#),
        HostileFile(
            header:
                #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
            dataSize: 2, complaint: #"the key "x" appears twice"#),
        HostileFile(header: #"{"__metadata__":{"a":1}}"#, dataSize: 0, complaint: "expected '\"', found '1'"),
    ])
    func refusesHostileFiles(_ hostile: HostileFile) throws {
        let path = try directory.write(hostile.bytes, to: "hostile.safetensors")
        let refusal = #expect(throws: BlobError.self) { _ = try SafetensorsFile(path: path) }
        #expect(refusal?.code == hostile.code)
        #expect(refusal?.message.hasPrefix(path) == true)
        #expect(refusal?.message.contains(hostile.complaint) == true, "\(refusal?.message ?? "")")
    }

    @Test(arguments: [
        (3, "expected at least 8 bytes of header length, found 3"),
        (0, "expected at least 8 bytes of header length, found 0"),
        (8, "header length at offset 0: expected at most 0, found 72340172838076673"),
    ])
    func refusesTruncatedFiles(_ size: Int, _ complaint: String) throws {
        let path = try directory.write([UInt8](repeating: 1, count: size), to: "short")
        expectRefusal(.corrupt, "\(path): \(complaint)") { _ = try SafetensorsFile(path: path) }
    }

    @Test func refusesEveryCutOfAGoodFile() throws {
        var writer = SafetensorsWriter(metadata: ["a": "b"])
        writer.add("x", [1, 2, 3] as [Float])
        writer.add("y", [1] as [UInt8])
        try writer.write(to: directory.file("good"))
        let bytes = try Data(contentsOf: URL(filePath: directory.file("good")))
        for size in 0..<bytes.count {
            let path = try directory.write(bytes.prefix(size), to: "cut")
            #expect(throws: BlobError.self, "cut at \(size)") { _ = try SafetensorsFile(path: path) }
        }
    }

    @Test func missingFileIsNamed() {
        expectRefusal(.missing, "cannot open /nonexistent/x: No such file or directory") {
            _ = try SafetensorsFile(path: "/nonexistent/x")
        }
        expectRefusal(.inputOutput, "/ is not a regular file") { _ = try SafetensorsFile(path: "/") }
    }

    @Test func checksStringColumns() throws {
        func open(_ offsets: [UInt64]) throws -> SafetensorsFile {
            var writer = SafetensorsWriter()
            writer.add("t.bytes", Array("abcd".utf8))
            writer.add("t.offsets", offsets)
            try writer.write(to: directory.file("strings"))
            return try SafetensorsFile(path: directory.file("strings"))
        }
        let (bytes, offsets) = try open([0, 1, 1, 4]).strings("t", rows: 3)
        #expect(Array(bytes) == Array("abcd".utf8) && Array(offsets) == [0, 1, 1, 4])
        let path = directory.file("strings")
        expectRefusal(.mismatch, "\(path): tensor \"t.offsets\": expected shape [3], found [4]") {
            _ = try open([0, 1, 1, 4]).strings("t", rows: 2)
        }
        expectRefusal(.corrupt, "\(path): tensor \"t.offsets\": expected offsets from 0 to 4, found 0 to 5") {
            _ = try open([0, 5]).strings("t")
        }
        expectRefusal(.corrupt, "\(path): tensor \"t.offsets\": expected offsets from 0 to 4, found none") {
            _ = try open([]).strings("t")
        }
        expectRefusal(.corrupt, "\(path): tensor \"t.offsets\": row 1 ends at 2, before it begins at 3") {
            _ = try open([0, 3, 2, 4]).strings("t")
        }
    }
}

/// The body must be refused with this code and this whole message.
func expectRefusal(
    _ code: BlobError.Code, _ message: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    let refusal = #expect(throws: BlobError.self, sourceLocation: sourceLocation, performing: body)
    #expect(refusal?.code == code, sourceLocation: sourceLocation)
    #expect(refusal?.message == message, sourceLocation: sourceLocation)
}
