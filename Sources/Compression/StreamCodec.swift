/// How far one step of a codec came.
public struct StreamProgress: Sendable, Hashable {
    /// Bytes of the input that were taken.
    public var consumed: Int
    /// Bytes of the output that were written.
    public var produced: Int
    /// Everything up to the end that was asked for (compressor) or found (decompressor) has been written.
    public var isFinished: Bool
}

/// A compressor over chunks. Owns its library state; one caller at a time.
public protocol StreamCompressor: ~Copyable {
    /// Takes input and writes output until one of them runs out. With `end`, also closes the frame: repeat with the
    /// rest of the input until `isFinished`.
    mutating func step(
        _ input: UnsafeRawBufferPointer, end: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> StreamProgress

    /// Forgets an unfinished frame and keeps the memory for the next.
    mutating func reset() throws(CompressionError)
}

/// A decompressor over chunks. Owns its library state; one caller at a time.
public protocol StreamDecompressor: ~Copyable {
    /// Takes input and writes output until one of them runs out, or a frame ends. Frames may follow each other.
    mutating func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> StreamProgress

    /// Forgets an unfinished frame and keeps the memory for the next.
    mutating func reset() throws(CompressionError)

    /// True outside frames: when the input may rightly end.
    var isBetweenFrames: Bool { get }

    /// Name of the format, for messages.
    static var formatName: String { get }
}

/// Bytes that go to a sink at a time: large enough that a call costs nothing beside the work on the chunk.
private let chunkSize = 1 << 16

extension StreamCompressor where Self: ~Copyable {
    /// Compresses one chunk and hands what comes out to `sink`; the bytes are valid during that call only.
    ///
    /// - Parameter end: closes the frame after this chunk.
    public mutating func compress(
        _ input: UnsafeRawBufferPointer, end: Bool = false, into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkSize, alignment: 16)
        defer { output.deallocate() }
        var rest = input
        while true {
            let progress = try step(rest, end: end, into: output)
            rest = UnsafeRawBufferPointer(rebasing: rest[progress.consumed...])
            if progress.produced > 0 { try sink(UnsafeRawBufferPointer(rebasing: output[..<progress.produced])) }
            if end ? progress.isFinished : rest.isEmpty && progress.produced < output.count { return }
        }
    }

    /// Compresses one whole message as one frame.
    ///
    /// - Parameter bound: room for the output at first; the format's worst case avoids a second allocation.
    mutating func compressAll(_ input: UnsafeRawBufferPointer, bound: Int) throws(CompressionError) -> [UInt8] {
        var output = GrowingBytes(capacity: bound)
        var rest = input
        while true {
            let progress = try step(rest, end: true, into: output.room)
            output.count += progress.produced
            if progress.isFinished { return output.array() }
            rest = UnsafeRawBufferPointer(rebasing: rest[progress.consumed...])
            if output.room.isEmpty { output.grow(limit: Int.max) }
        }
    }
}

extension StreamDecompressor where Self: ~Copyable {
    /// Decompresses one chunk and hands what comes out to `sink`; the bytes are valid during that call only.
    public mutating func decompress(
        _ input: UnsafeRawBufferPointer, into sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkSize, alignment: 16)
        defer { output.deallocate() }
        var rest = input
        while true {
            let progress = try step(rest, into: output)
            rest = UnsafeRawBufferPointer(rebasing: rest[progress.consumed...])
            if progress.produced > 0 { try sink(UnsafeRawBufferPointer(rebasing: output[..<progress.produced])) }
            if rest.isEmpty && progress.produced < output.count { return }
        }
    }

    /// To be called when the input has ended: an error when it ended inside a frame.
    public func finish() throws(CompressionError) {
        guard isBetweenFrames else {
            throw CompressionError(code: .truncated, message: "\(Self.formatName): the data ends inside a frame")
        }
    }

    /// Decompresses one whole message of one or more frames.
    ///
    /// - Parameters:
    ///   - limit: most bytes the output may have; more is an error, found before the memory is spent.
    ///   - expected: likely size of the output, when known.
    public mutating func decompressAll(
        _ input: UnsafeRawBufferPointer, limit: Int, expected: Int? = nil
    ) throws(CompressionError) -> [UInt8] {
        guard !input.isEmpty else {
            throw CompressionError(code: .truncated, message: "\(Self.formatName): no data")
        }
        // One byte beyond the limit tells "exactly full" from "too much".
        let ceiling = limit == Int.max ? limit : limit + 1
        let guess = expected.map { $0 &+ 1 } ?? input.count &* 4
        var output = GrowingBytes(capacity: min(ceiling, max(guess, 64)))
        var rest = input
        while true {
            let progress = try step(rest, into: output.room)
            output.count += progress.produced
            rest = UnsafeRawBufferPointer(rebasing: rest[progress.consumed...])
            if output.count > limit {
                throw CompressionError(
                    code: .limitExceeded, message: "\(Self.formatName): the data is larger than \(limit) bytes")
            }
            if output.room.isEmpty {
                output.grow(limit: ceiling)
            } else if rest.isEmpty {
                break
            }
        }
        try finish()
        return output.array()
    }
}

/// Uninitialised memory that doubles as it fills.
private struct GrowingBytes: ~Copyable {
    private var memory: UnsafeMutableRawBufferPointer
    var count = 0

    init(capacity: Int) {
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }

    var room: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: memory[count...]) }

    mutating func grow(limit: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(limit, memory.count * 2 + 64), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }

    func array() -> [UInt8] {
        [UInt8](memory[..<count])
    }
}
