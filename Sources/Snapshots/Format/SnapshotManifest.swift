import Foundation
import Hashing

/// One component of a snapshot: a safetensors file, and the blob that carries it.
public struct SnapshotComponent: Codable, Hashable, Sendable {
    /// What it is: `catalog`, `vectors`, ...; lower-case letters, digits and hyphens.
    public var kind: String
    /// The shard whose items it holds; nil for what every process of its kind needs whole.
    public var shard: Int?
    /// Bytes of the safetensors file.
    public var size: Int
    /// Bytes of the blob: the file as a sequence of zstd frames.
    public var compressedSize: Int
    /// SHA-256 of the blob, lower-case hexadecimal: its name in every store.
    public var sha256: String
    /// XXH3-64 of the safetensors file, 16 hexadecimal digits.
    public var xxh3: String

    enum CodingKeys: String, CodingKey {
        case kind, shard, size, sha256, xxh3
        case compressedSize = "compressed_size"
    }

    /// `vectors/2` or `catalog`.
    public var name: String {
        shard.map { "\(kind)/\($0)" } ?? kind
    }
}

/// `manifest.json`: everything a snapshot is made of, and where it comes from.
public struct SnapshotManifest: Codable, Hashable, Sendable {
    /// The form of manifest and components that this build writes and reads.
    public static let currentSchema = 1

    public var schema: Int
    /// Sorts by time of publication, and is unique: `20261123-225500123-1a2b3c4d`, UTC and the start of a content hash.
    public var version: String
    /// The version that was newest when this one was published.
    public var parent: String?
    /// Of an incremental update: the version of the full training run that it, and any updates before it, started from.
    public var base: String?
    public var createdMilliseconds: Int64
    /// Time of the last interaction that the snapshot was trained on.
    public var dataUntilMilliseconds: Int64
    public var shards: Int
    public var components: [SnapshotComponent]
    /// The specification of every model inside.
    public var model: JSONValue
    /// How good the snapshot is: recall, AUC, calibration.
    public var report: JSONValue

    enum CodingKeys: String, CodingKey {
        case schema, version, parent, base, shards, components, model, report
        case createdMilliseconds = "created_ms"
        case dataUntilMilliseconds = "data_until_ms"
    }

    public var size: Int { components.reduce(0) { $0 + $1.size } }
    public var compressedSize: Int { components.reduce(0) { $0 + $1.compressedSize } }

    public func component(_ kind: String, shard: Int? = nil) throws(SnapshotError) -> SnapshotComponent {
        guard let component = components.first(where: { $0.kind == kind && $0.shard == shard }) else {
            throw SnapshotError(
                .missing,
                "snapshot \(version) has no component \(shard.map { "\(kind)/\($0)" } ?? kind); "
                    + "it has \(components.map(\.name).joined(separator: ", "))")
        }
        return component
    }
}

extension SnapshotManifest {
    /// Largest manifest read: thousands of components, and a bound on what a peer can make a node hold.
    static let bytesMax = 16 << 20
    /// Largest component described: beyond it, sizes in a manifest are taken for damage.
    static let componentSizeMax = 1 << 42

    /// Reads and checks `manifest.json`.
    ///
    /// - Parameter origin: the file or peer the bytes came from, for messages.
    public init(json: [UInt8], origin: String) throws(SnapshotError) {
        struct Schema: Decodable { var schema: Int }
        let data = Data(json)
        do {
            let schema = try JSONDecoder().decode(Schema.self, from: data).schema
            guard schema == Self.currentSchema else {
                throw SnapshotError(
                    .unsupportedVersion,
                    "\(origin): expected manifest schema \(Self.currentSchema), found \(schema)")
            }
            self = try JSONDecoder().decode(SnapshotManifest.self, from: data)
        } catch let error as SnapshotError {
            throw error
        } catch {
            throw SnapshotError(.corrupt, "\(origin): not a snapshot manifest: \(error)", cause: error)
        }
        try check(origin)
    }

    /// The manifest as it is stored, the same bytes for the same contents.
    func json() throws(SnapshotError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self)) + [0x0A]
        } catch {
            throw SnapshotError(
                .invalid, "snapshot \(version): its model or report is not JSON: \(error)", cause: error)
        }
    }

    private func check(_ origin: String) throws(SnapshotError) {
        func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws(SnapshotError) {
            guard condition else { throw SnapshotError(.corrupt, "\(origin): \(problem())") }
        }
        try require(Self.isVersionName(version), "\"\(version)\" is no version name")
        try require(shards >= 1, "expected at least one shard, found \(shards)")
        var names: Set<String> = []
        for component in components {
            let name = component.name
            try require(Self.isKindName(component.kind), "\"\(component.kind)\" is no component kind")
            try require(names.insert(name).inserted, "the component \(name) appears twice")
            try require(
                component.shard.map { (0..<shards).contains($0) } ?? true,
                "component \(name): expected a shard below \(shards)")
            try require(
                (0...Self.componentSizeMax).contains(component.size)
                    && (0...Self.componentSizeMax).contains(component.compressedSize),
                "component \(name): sizes \(component.size) and \(component.compressedSize) are out of range")
            try require(
                SHA256.Digest(hex: component.sha256) != nil, "component \(name): \(component.sha256) is no SHA-256")
            try require(
                component.xxh3.utf8.count == 16 && UInt64(component.xxh3, radix: 16) != nil,
                "component \(name): \(component.xxh3) is no XXH3-64")
        }
    }

    /// Version names become file names: nothing but letters, digits and `-._`, not starting with a dot.
    static func isVersionName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.utf8.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }

    static func isKindName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { (isLetterOrDigit($0) && !(0x41...0x5A).contains($0)) || $0 == 0x2D }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
