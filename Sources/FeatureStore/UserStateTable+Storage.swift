public import Blobs
import Catalog
import Kernels

extension UserStateTable {
    /// Kind of the snapshot component that holds the table.
    public static let componentKind = "users"

    /// Adds the columns: `key` U64, `field_name` (strings), `profile` U32 `[U, F]`, `impressions`, `clicks`,
    /// `watch_seconds` F32, and the last-n cut by `recent.offsets`: `recent.item` U64, `recent.time_ms` I64,
    /// `recent.actions` U16, `recent.watch_seconds` F32.
    public func add(to writer: inout SafetensorsWriter) {
        writer.add("key", keys.reinterpreted(as: UInt64.self))
        writer.add(strings: "field_name", bytes: fieldNames.bytes, offsets: fieldNames.offsets)
        writer.add("profile", profiles, shape: [count, fieldNames.count])
        writer.add("impressions", impressions)
        writer.add("clicks", clicks)
        writer.add("watch_seconds", watchSeconds)
        writer.add("recent.offsets", history.offsets)
        writer.add("recent.item", history.items.reinterpreted(as: UInt64.self))
        writer.add("recent.time_ms", history.times)
        writer.add("recent.actions", history.actions)
        writer.add("recent.watch_seconds", history.watchSeconds)
    }

    /// Reads a table that ``add(to:)`` wrote, with every shape and offset checked.
    ///
    /// - Complexity: O(users).
    public init(_ file: SafetensorsFile) throws(BlobError) {
        let keys = try file.buffer("key", as: UInt64.self, shape: [nil])
        let names = try file.strings("field_name")
        let items = try file.buffer("recent.item", as: UInt64.self, shape: [nil])
        self.init(
            keys: keys.reinterpreted(as: UserKey.self),
            profiles: try file.buffer("profile", as: UInt32.self, shape: [keys.count, names.offsets.count - 1]),
            fieldNames: StringTable(bytes: names.bytes, offsets: names.offsets),
            impressions: try file.buffer("impressions", as: Float.self, shape: [keys.count]),
            clicks: try file.buffer("clicks", as: Float.self, shape: [keys.count]),
            watchSeconds: try file.buffer("watch_seconds", as: Float.self, shape: [keys.count]),
            history: History(
                offsets: try file.offsets("recent.offsets", spanning: items.count, rows: keys.count),
                items: items.reinterpreted(as: ItemKey.self),
                times: try file.buffer("recent.time_ms", as: Int64.self, shape: [items.count]),
                actions: try file.buffer("recent.actions", as: UInt16.self, shape: [items.count]),
                watchSeconds: try file.buffer("recent.watch_seconds", as: Float.self, shape: [items.count])))
    }
}
