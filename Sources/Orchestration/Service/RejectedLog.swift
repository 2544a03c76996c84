import Blobs
import Dispatch
public import Logging
import Synchronization

/// How candidates that ranking rejected are logged.
public struct RejectedLogConfiguration: Sendable, Equatable {
    /// The file; its folder is made.
    public var path: String
    /// Candidates logged of a page, at most.
    public var perPage = 4
    /// Bytes of the file, at most: it then becomes `PATH.1`, in the place of the one before, and another is begun.
    public var bytesMax = 64 << 20
    /// Bytes that wait to be written, at most: what comes beyond is dropped and counted. About 100,000 rows.
    public var waitingBytesMax = 4 << 20

    public init(path: String) {
        self.path = path
    }
}

/// Appends candidates that ranking rejected to a CSV file, as an import reads them (`rejected.csv`): hard negatives for recall.
///
/// Rows are written within a second, by a thread of their own; no request waits for the disk. What a crash cuts short is
/// taken off when the file is opened again.
public final class RejectedLog: Sendable {
    private struct Waiting {
        var bytes: [UInt8] = []
        var rows = 0
        var isScheduled = false
        /// Since the last message.
        var dropped = 0
    }

    private static let interval: DispatchTimeInterval = .seconds(1)

    let perPage: Int
    private let waitingBytesMax: Int
    private let logger: Logger
    private let queue = DispatchQueue(label: "rejected-log", qos: .utility)
    private let waiting = Mutex(Waiting())
    private let file: Mutex<RejectedFile>

    /// - Throws: `BlobError` when the file cannot be made or opened.
    public init(_ configuration: RejectedLogConfiguration, logger: Logger) throws {
        perPage = configuration.perPage
        waitingBytesMax = configuration.waitingBytesMax
        self.logger = logger
        file = Mutex(try RejectedFile(configuration.path, bytesMax: configuration.bytesMax))
    }

    deinit {
        write()
    }

    /// - Parameter time: of the request, milliseconds since 1970.
    func add(_ items: [String], user: String, time: Int64) {
        guard !items.isEmpty else { return }
        var rows: [UInt8] = []
        let (user, end) = (Self.field(user), Array(",\(time)\n".utf8))
        for item in items {
            rows += user
            rows.append(UInt8(ascii: ","))
            rows += Self.field(item)
            rows += end
        }
        let isFirst = waiting.withLock { waiting in
            if waiting.bytes.count + rows.count <= waitingBytesMax {
                waiting.bytes += rows
                waiting.rows += items.count
            } else {
                waiting.dropped += items.count
            }
            defer { waiting.isScheduled = true }
            return !waiting.isScheduled
        }
        if isFirst { queue.asyncAfter(deadline: .now() + Self.interval) { self.write() } }
    }

    private func write() {
        var batch = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting
        }
        var reason = "more came than can be written"
        do {
            try file.withLock { (file) throws(BlobError) in try file.append(batch.bytes) }
        } catch {
            batch.dropped += batch.rows
            reason = "\(error)"
        }
        if batch.dropped > 0 {
            logger.warning("rejected candidates were not logged: \(batch.dropped) rows: \(reason)")
        }
    }

    /// The bytes of an id as a field, in quotes where they must be (RFC 4180).
    private static func field(_ id: String) -> [UInt8] {
        guard id.utf8.contains(where: { special.contains($0) }) else { return Array(id.utf8) }
        let quote = UInt8(ascii: "\"")
        var field = [quote]
        for byte in id.utf8 {
            if byte == quote { field.append(quote) }
            field.append(byte)
        }
        return field + [quote]
    }

    private static let special = Array(",\"\r\n".utf8)
}

/// A file that rows are appended to, and that makes way for another when it is full.
private struct RejectedFile {
    private static let header = Array("user_id,item_id,time\n".utf8)
    /// Longer than any row: two ids of 1,024 bytes, every byte a quote, and a time.
    private static let rowMax = 4_160

    private let path: String
    private let bytesMax: Int
    private var file: File
    private var size: Int

    init(_ path: String, bytesMax: Int) throws(BlobError) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try FileSystem.createDirectory(String(path[..<slash]))
        }
        self.path = path
        self.bytesMax = bytesMax
        (file, size) = try Self.open(path)
    }

    /// - Parameter rows: whole rows.
    mutating func append(_ rows: [UInt8]) throws(BlobError) {
        guard !rows.isEmpty else { return }
        if size + rows.count > bytesMax, size > Self.header.count {
            // The next file is there before this one makes way: a full disk loses neither.
            let next = try Self.open("\(path).next")
            if FileSystem.exists(path) { try FileSystem.rename(path, to: "\(path).1") }
            try FileSystem.rename("\(path).next", to: path)
            (file, size) = next
        }
        do throws(BlobError) {
            try rows.span.bytes.withUnsafeBytes { (raw) throws(BlobError) in try file.write(raw, at: size) }
        } catch {
            // A row that is half there would spoil the next.
            try? file.truncate(to: size)
            throw error
        }
        size += rows.count
    }

    /// The file, with a header, up to its last whole row.
    private static func open(_ path: String) throws(BlobError) -> (File, Int) {
        let file = try File(path, .update)
        let size = try file.size()
        let start = max(size - rowMax, 0)
        let end = try withUnsafeTemporaryAllocation(byteCount: size - start, alignment: 1) {
            (tail) throws(BlobError) in
            let count = try file.read(into: tail, at: start)
            return tail[..<count].lastIndex(of: 0x0A).map { start + $0 + 1 } ?? 0
        }
        if end < size { try file.truncate(to: end) }
        guard end == 0 else { return (file, end) }
        try header.span.bytes.withUnsafeBytes { (raw) throws(BlobError) in try file.write(raw, at: 0) }
        return (file, header.count)
    }
}
