import Compression
import Testing

/// One format under test, as closures, so that every case runs over both.
struct Format: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var compress: @Sendable ([UInt8]) throws -> [UInt8]
    var decompress: @Sendable ([UInt8], Int) throws -> [UInt8]
    /// Compresses, then decompresses, in chunks of the given size.
    var stream: @Sendable ([UInt8], Int) throws -> [UInt8]
    /// "tributary tributary tributary\n", by the format's own command-line tool.
    var sample: [UInt8]

    static let all = [
        Format(
            testDescription: "zstd",
            compress: { try Zstandard.compress($0) },
            decompress: { try Zstandard.decompress($0, limit: $1) },
            stream: { try throughChunks($0, $1, Zstandard.Compressor(checksum: true), Zstandard.Decompressor()) },
            sample: bytes("28b52ffd04688d000058747269627574617279200a01004d0a128f68d3cd")),
        Format(
            testDescription: "gzip",
            compress: { try Gzip.compress($0) },
            decompress: { try Gzip.decompress($0, limit: $1) },
            stream: { try throughChunks($0, $1, Gzip.Compressor(), Gzip.Decompressor()) },
            sample: bytes("1f8b08000000000002032b29ca4c2a2d492caa5428c164710100d1292e6f1e000000")),
    ]
}

private func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
}

private func throughChunks<C: StreamCompressor & ~Copyable, D: StreamDecompressor & ~Copyable>(
    _ input: [UInt8], _ chunk: Int, _ compressor: consuming C, _ decompressor: consuming D
) throws -> [UInt8] {
    var packed: [UInt8] = []
    var start = 0
    repeat {
        let end = min(start + chunk, input.count)
        try input[start..<end].withUnsafeBytes {
            try compressor.compress($0, end: end == input.count) { packed.append(contentsOf: $0) }
        }
        start = end
    } while start < input.count
    var output: [UInt8] = []
    for start in stride(from: 0, to: packed.count, by: chunk) {
        try packed[start..<min(start + chunk, packed.count)].withUnsafeBytes {
            try decompressor.decompress($0) { output.append(contentsOf: $0) }
        }
    }
    try decompressor.finish()
    return output
}

/// Compressible but not constant: a linear congruential sequence of letters (Numerical Recipes' constants).
private func text(_ count: Int) -> [UInt8] {
    var state: UInt32 = 7
    return (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(ascii: "a") + UInt8((state >> 24) % 9)
    }
}

@Suite struct CodecTests {
    @Test(arguments: Format.all, [0, 1, 7, 8, 1000, 65_535, 65_536, 65_537, 300_000])
    func roundTrip(format: Format, count: Int) throws {
        let input = text(count)
        let packed = try format.compress(input)
        #expect(try format.decompress(packed, count) == input)
        if count >= 1000 { #expect(packed.count < count * 3 / 4) }
    }

    @Test(arguments: Format.all, [1, 3, 1000, 70_000, 1 << 20])
    func streamsInChunks(format: Format, chunk: Int) throws {
        let input = text(chunk < 10 ? 3000 : 300_000)
        #expect(try format.stream(input, chunk) == input)
    }

    @Test(arguments: Format.all)
    func readsTheToolsOutput(format: Format) throws {
        let expected = Array("tributary tributary tributary\n".utf8)
        #expect(try format.decompress(format.sample, 100) == expected)
        #expect(try format.decompress(format.sample + format.sample, 100) == expected + expected)
    }

    @Test(arguments: Format.all)
    func refusesMoreThanTheLimit(format: Format) throws {
        // 64 MiB of zeros pack into a few kilobytes.
        let bomb = try format.compress([UInt8](repeating: 0, count: 64 << 20))
        #expect(bomb.count < 100_000)
        let error = #expect(throws: CompressionError.self) { try format.decompress(bomb, 1 << 20) }
        #expect(error?.code == .limitExceeded)
        let input = text(1000)
        let packed = try format.compress(input)
        #expect(try format.decompress(packed, 1000) == input)
        #expect(throws: CompressionError.self) { try format.decompress(packed, 999) }
    }

    @Test(arguments: Format.all)
    func everyTruncationIsFound(format: Format) throws {
        for length in 0..<format.sample.count {
            let error = #expect(throws: CompressionError.self) {
                try format.decompress(Array(format.sample[..<length]), 100)
            }
            #expect(error?.code == .truncated, "at \(length)")
        }
    }

    @Test(arguments: Format.all)
    func damageIsFound(format: Format) throws {
        // The checksum at the end of both samples covers the content; zstd's is 4 bytes, gzip's is followed by a size.
        for index in format.sample.indices.suffix(4) {
            var damaged = format.sample
            damaged[index] ^= 0x55
            let error = #expect(throws: CompressionError.self) { try format.decompress(damaged, 100) }
            #expect(error?.code == .corrupt)
        }
        #expect(throws: CompressionError.self) { try format.decompress(Array("not compressed".utf8), 100) }
        #expect(throws: CompressionError.self) { try format.decompress(format.sample + [1, 2, 3], 100) }
    }
}

@Suite struct ZstandardTests {
    @Test func statesTheContentSize() throws {
        let packed = try Zstandard.compress(text(12_345))
        #expect(packed.withUnsafeBytes { Zstandard.contentSize(of: $0) } == 12_345)
    }

    @Test func refusesLevelsThatDoNotExist() {
        #expect(throws: CompressionError.self) { try Zstandard.compress([1, 2, 3], level: 23) }
        #expect(throws: CompressionError.self) { try Gzip.compress([1, 2, 3], level: 10) }
    }

    @Test func refusesWindowsBeyondTheLimit() throws {
        // Level 9 on data of unknown size takes a window of 4 MiB.
        var compressor = try Zstandard.Compressor(level: 9)
        var packed: [UInt8] = []
        let input = text(300_000)
        try input[..<100].withUnsafeBytes { try compressor.compress($0) { packed.append(contentsOf: $0) } }
        try input[100...].withUnsafeBytes { try compressor.compress($0, end: true) { packed.append(contentsOf: $0) } }
        var strict = try Zstandard.Decompressor(windowLogMax: 20)
        let error = #expect(throws: CompressionError.self) {
            try packed.withUnsafeBytes { bytes in try strict.decompress(bytes) { _ in } }
        }
        #expect(error?.code == .limitExceeded)
        #expect(try Zstandard.decompress(packed, limit: 300_000) == input)
    }

    @Test func resetForgetsAnUnfinishedFrame() throws {
        let packed = try Zstandard.compress(text(500))
        var decompressor = try Zstandard.Decompressor()
        try packed[..<50].withUnsafeBytes { bytes in try decompressor.decompress(bytes) { _ in } }
        let isBetweenFrames = decompressor.isBetweenFrames
        #expect(!isBetweenFrames)
        try decompressor.reset()
        let output = try packed.withUnsafeBytes { try decompressor.decompressAll($0, limit: 500) }
        #expect(output == text(500))
    }

    /// Decompresses in pieces of at least `count` bytes into memory of `room` bytes; also the sizes of the pieces.
    private func pieces(_ frames: [UInt8], _ count: Int, room: Int) throws -> (bytes: [UInt8], sizes: [Int]) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 1)
        defer { memory.deallocate() }
        var sizes: [Int] = []
        try frames.withUnsafeBytes { frames in
            var decompressor = try Zstandard.PieceDecompressor(frames, into: memory)
            while let piece = try decompressor.next(count) {
                #expect(piece.lowerBound == sizes.reduce(0, +))
                sizes.append(piece.count)
            }
        }
        return (Array(memory[..<sizes.reduce(0, +)]), sizes)
    }

    @Test func decompressesFramesInPieces() throws {
        // Repeats over 700 KB, so that pieces refer to those before them.
        let parts = [700_000, 0, 5, 300_000].map { size in (0..<size).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) } }
        let frames = try parts.flatMap { try Zstandard.compress($0) }
        let whole = parts.flatMap(\.self)
        for count in [1, 100_000, 1 << 20] {
            let result = try pieces(frames, count, room: whole.count)
            #expect(result.bytes == whole)
            #expect(result.sizes.dropLast().allSatisfy { $0 >= count })
        }
        #expect(try pieces(frames, 100_000, room: whole.count).sizes.count > 3)
        #expect(try pieces([], 10, room: 10).bytes.isEmpty)
        #expect(throws: CompressionError.self) { try pieces(frames, 1000, room: whole.count - 1) }
        for cut in stride(from: 1, to: frames.count - 1, by: frames.count / 50 + 1) {
            #expect(throws: CompressionError.self) { try pieces(Array(frames.dropLast(cut)), 1000, room: whole.count) }
        }
    }
}
