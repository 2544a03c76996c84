import Blobs
package import Foundation

extension ClusterConfiguration {
    /// Reads and validates a YAML file; relative paths in it start at the file's own folder.
    public init(file: String) throws(ConfigurationError) {
        let bytes: [UInt8]
        do throws(BlobError) {
            bytes = try FileSystem.read(file, limit: Self.bytesMax)
        } catch {
            throw ConfigurationError(place: file, message: error.message)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(place: file, message: "is not UTF-8 text; expected YAML")
        }
        try self.init(
            text: text, file: file, base: URL(fileURLWithPath: file).deletingLastPathComponent())
    }

    /// Bytes of a file: thousands of processes, and a bound for a file that is something else.
    private static let bytesMax = 4 << 20

    package init(text: String, file: String, base: URL) throws(ConfigurationError) {
        var reader = try ConfigurationReader(text: text, file: file)
        func path(_ text: String) -> String {
            URL(fileURLWithPath: text, relativeTo: base).standardizedFileURL.path
        }
        func required<Value>(_ value: Value?, _ key: String) throws(ConfigurationError) -> Value {
            guard let value else { throw reader.missing(key) }
            return value
        }
        let directory = path(try required(try reader.string("directory"), "directory"))
        self.directory = directory
        name = try reader.string("name") ?? "cluster"
        let server = try reader.section("snapshot_server") { section throws(ConfigurationError) in
            (try section.address("address"), try section.string("store"), try section.string("public_key"))
        }
        snapshotServer = try required(server?.0, "snapshot_server.address")
        store = server?.1.map(path) ?? "\(directory)/store"
        publicKey = server?.2.map(path)
        let shards = try reader.section("recall") { section throws(ConfigurationError) in
            try section.addressLists("shards")
        }
        recallShards = try required(shards ?? nil, "recall.shards")
        rankers = try required(try reader.addresses("rankers"), "rankers")
        orchestrators = try required(try reader.addresses("orchestrators"), "orchestrators")
        funnel = try reader.section("funnel", FunnelConfiguration.init(reader:)) ?? FunnelConfiguration()
        deadlines = try reader.section("deadlines", DeadlineConfiguration.init(reader:)) ?? DeadlineConfiguration()
        tls = try reader.section("tls") { section throws(ConfigurationError) in
            try TLSConfiguration(reader: &section, path: path)
        }
        try reader.finish()
        try checkAddresses(file: file)
    }

    /// Two processes cannot listen on one address.
    private func checkAddresses(file: String) throws(ConfigurationError) {
        var owners: [String: String] = [:]
        for member in members {
            if let other = owners.updateValue(member.name, forKey: member.address) {
                throw ConfigurationError(
                    place: file, message: "\(member.address) is the address of both \(other) and \(member.name)")
            }
        }
    }
}

extension DeadlineConfiguration {
    init(reader: inout ConfigurationReader) throws(ConfigurationError) {
        request = try reader.integer("request_ms", in: 1...60_000) ?? request
        recall = try reader.integer("recall_ms", in: 1...60_000) ?? recall
        rank = try reader.integer("rank_ms", in: 1...60_000) ?? rank
    }
}

extension TLSConfiguration {
    init(reader: inout ConfigurationReader, path: (String) -> String) throws(ConfigurationError) {
        func file(_ key: String) throws(ConfigurationError) -> String {
            guard let text = try reader.string(key) else { throw reader.missing(key) }
            return path(text)
        }
        certificate = try file("certificate")
        key = try file("key")
        authority = try file("authority")
        clientAuthority = try reader.string("client_authority").map(path)
    }
}
