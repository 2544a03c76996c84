import Compression
import Kernels

/// Whole zstd frames, end to end.
struct FrameRun: Sendable {
    var bytes: SharedBuffer<UInt8>
    /// Bytes they decompress to, as their headers say: at most `BlobWriter.frameSize`.
    var contentSize: Int
}

/// Cuts a blob's bytes, as they come, into runs of whole frames that can be decompressed independently.
struct FrameCutter {
    /// Largest compressed frame taken. Bytes that do not shrink grow by less than this when they are framed.
    static let frameBytesMax = BlobWriter.frameSize + BlobWriter.frameSize / 64

    private let pool: BufferPool
    private var buffer: BufferPool.Buffer
    /// What is not cut yet lies here.
    private var rest = 0..<0

    /// - Parameter pool: of buffers of `frameBytesMax` bytes.
    init(_ pool: BufferPool) {
        self.pool = pool
        buffer = pool.take()
    }

    /// Nothing is left over.
    var isEmpty: Bool { rest.isEmpty }

    /// Takes bytes, as many as there is room for until `next` has been called until it returned nil.
    ///
    /// - Returns: how many were taken, at least one.
    mutating func fill(_ bytes: UnsafeRawBufferPointer) -> Int {
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[rest.upperBound...])
        let count = min(room.count, bytes.count)
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        rest = rest.lowerBound..<rest.upperBound + count
        return count
    }

    /// The next run; nil when more bytes are needed.
    ///
    /// - Complexity: O(blocks in the frames), and each byte is moved at most once.
    mutating func next() throws(CompressionError) -> FrameRun? {
        let run = try scan()
        guard run.end > rest.lowerBound else {
            try makeRoom()
            return nil
        }
        let bytes = buffer.shared(rest.lowerBound..<run.end)
        rest = run.end..<rest.upperBound
        return FrameRun(bytes: bytes, contentSize: run.contentSize)
    }

    /// The end of the whole frames that fit in a run, at least of the first.
    private func scan() throws(CompressionError) -> (end: Int, contentSize: Int) {
        var end = rest.lowerBound
        var total = 0
        while end < rest.upperBound {
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes[end..<rest.upperBound])
            guard let size = try Zstandard.frameSize(of: bytes) else { break }
            guard let contentSize = Zstandard.contentSize(of: bytes), contentSize <= BlobWriter.frameSize else {
                throw CompressionError(
                    code: .limitExceeded,
                    message: "expected frames that state a size of at most \(BlobWriter.frameSize) bytes")
            }
            if end > rest.lowerBound && total + contentSize > BlobWriter.frameSize { break }
            end += size
            total += contentSize
        }
        return (end, total)
    }

    /// Moves the beginning of a frame to where all of it fits.
    private mutating func makeRoom() throws(CompressionError) {
        guard rest.count < Self.frameBytesMax else {
            throw CompressionError(
                code: .limitExceeded,
                message: "expected frames of at most \(Self.frameBytesMax) bytes, found a larger one")
        }
        guard rest.lowerBound > 0 else { return }
        let fresh = pool.take()
        fresh.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[rest]))
        buffer = fresh
        rest = 0..<rest.count
    }
}
