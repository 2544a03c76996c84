import Blobs
import Foundation
import Kernels
import Logging
import Snapshots
import Synchronization
import Testing

/// A directory of the test's own, removed when the test lets go of it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "tributary-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: file(folder)).sorted()
    }

    /// Every regular file below a folder.
    func files(_ folder: String) throws -> [String] {
        let all = FileManager.default.enumerator(atPath: file(folder))?.compactMap { $0 as? String } ?? []
        return all.filter { name in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: file("\(folder)/\(name)"), isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }.sorted()
    }
}

/// Components as a trainer would add them: `catalog` whole, `vectors` by shard.
struct World {
    var shards = 2
    /// Changes the catalogue's contents.
    var catalogSeed: UInt32 = 1
    /// Changes the vectors' contents.
    var vectorSeed: UInt32 = 1
    var rows = 300_000

    func catalog() -> SafetensorsWriter {
        var writer = SafetensorsWriter(metadata: ["kind": "catalog"])
        writer.add("code", (0..<UInt32(rows)).map { $0 &* 2_654_435_761 &* catalogSeed })
        return writer
    }

    func vectors(_ shard: Int) -> SafetensorsWriter {
        var writer = SafetensorsWriter()
        writer.add("values", (0..<UInt32(rows)).map { ($0 &+ UInt32(shard)) &* 40_503 &* vectorSeed })
        return writer
    }

    func publish(into store: SnapshotStore) throws -> SnapshotManifest {
        let builder = try SnapshotBuilder(store: store, configuration: .init(shards: shards))
        builder.dataUntilMilliseconds = 1_700_000_000_000
        builder.model = .object(["dimension": .integer(64)])
        builder.report = .object(["recall": .number(0.5)])
        try builder.add("catalog", catalog())
        for shard in 0..<shards { try builder.add("vectors", shard: shard, vectors(shard)) }
        return try builder.publish()
    }
}

/// Passes a store's blobs on, and misbehaves as it is told.
final class FaultySource: SnapshotSource {
    struct Behaviour: Sendable {
        /// The stream breaks with an error after so many bytes; each break is used up in turn.
        var breaksAfter: [Int] = []
        /// Ends quietly after so many bytes of each request.
        var endsAfter: Int?
        /// Flips a bit of the byte at this offset of every blob.
        var flips: Int?
        var bytesSent = 0
        var requests = 0
        var fetched: Set<String> = []
    }
    let behaviour = Mutex(Behaviour())
    private let source: DirectorySource

    init(_ store: SnapshotStore) {
        source = DirectorySource(store)
    }

    func manifest(_ version: String?) async throws(SnapshotError) -> SignedManifest {
        try await source.manifest(version)
    }

    func fetch(
        _ sha256: String, range: Range<Int>, size: Int,
        receive: (SharedBuffer<UInt8>) async throws(SnapshotError) -> Void
    ) async throws(SnapshotError) {
        let (breakAfter, endsAfter, flips) = behaviour.withLock {
            $0.requests += 1
            $0.fetched.insert(sha256)
            return ($0.breaksAfter.isEmpty ? nil : $0.breaksAfter.removeFirst(), $0.endsAfter, $0.flips)
        }
        var sent = 0
        try await source.fetch(sha256, range: range, size: size) { (piece) throws(SnapshotError) in
            var bytes = piece.withUnsafeBufferPointer { Array($0) }
            if let flips, (0..<bytes.count).contains(flips - range.lowerBound - sent) {
                bytes[flips - range.lowerBound - sent] ^= 1
            }
            if let limit = breakAfter ?? endsAfter { bytes = Array(bytes.prefix(max(0, limit - sent))) }
            sent += bytes.count
            behaviour.withLock { $0.bytesSent += bytes.count }
            if !bytes.isEmpty { try await receive(SharedBuffer(bytes)) }
            if let breakAfter, sent >= breakAfter { throw SnapshotError(.unavailable, "the stream broke") }
        }
    }
}

/// What the tests load: sums over the components, and a sign of life.
struct Loaded: Sendable {
    var version: String
    var catalogSum: UInt64
    var vectorSum: UInt64
    /// Called when the value is freed.
    var onRelease: Releaser?

    final class Releaser: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        deinit { body() }
    }

    init(_ snapshot: OpenSnapshot, shard: Int, onRelease: Releaser? = nil) throws {
        func sum(_ file: SafetensorsFile, _ name: String) throws -> UInt64 {
            try file.buffer(name, as: UInt32.self).withUnsafeBufferPointer { $0.reduce(0) { $0 + UInt64($1) } }
        }
        version = snapshot.version
        catalogSum = try sum(snapshot.component("catalog"), "code")
        vectorSum = try sum(snapshot.component("vectors", shard: shard), "values")
        self.onRelease = onRelease
    }
}

let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// A host of shard `shard` over a source, in a folder of a directory.
func makeHost(
    _ directory: TemporaryDirectory, _ folder: String = "cache", source: (any SnapshotSource)?, shard: Int = 0,
    configure: (inout SnapshotHostConfiguration) -> Void = { _ in },
    remark: @escaping @Sendable (Loaded) -> String? = { _ in nil },
    load: (@Sendable (OpenSnapshot) throws -> Loaded)? = nil
) throws -> SnapshotHost<Loaded> {
    var configuration = SnapshotHostConfiguration(
        role: "recall-shard", cacheDirectory: directory.file(folder),
        filter: ComponentFilter(kinds: ["catalog", "vectors"], shard: shard))
    configuration.fetch.pauseMin = .milliseconds(1)
    configuration.fetch.attempts = 6
    configuration.fetch.rangeSize = 300_000
    configuration.diskReserve = 0
    configuration.catchUpInterval = .milliseconds(5)
    configure(&configuration)
    return try SnapshotHost(configuration, source: source, logger: quiet, remark: remark) { snapshot in
        try load?(snapshot) ?? Loaded(snapshot, shard: shard)
    }
}

/// The body must be refused with this code and a message that holds every one of these parts.
func expectRefusal(
    _ code: SnapshotError.Code, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("expected a refusal, code \(code)", sourceLocation: sourceLocation)
    } catch let refusal as SnapshotError {
        #expect(refusal.code == code, "\(refusal.message)", sourceLocation: sourceLocation)
        for part in parts {
            #expect(refusal.message.contains(part), "\(refusal.message)", sourceLocation: sourceLocation)
        }
    } catch {
        Issue.record("expected a SnapshotError, found \(error)", sourceLocation: sourceLocation)
    }
}

/// Changes one byte of a file where it lies.
func flipByte(_ path: String, at offset: Int) throws {
    var data = try Data(contentsOf: URL(filePath: path))
    data[offset] ^= 1
    try data.write(to: URL(filePath: path))
}

/// Runs a program to its end.
func run(_ program: String, _ arguments: String...) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}
