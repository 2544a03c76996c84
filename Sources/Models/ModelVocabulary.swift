import Blobs
public import Catalog
import Kernels

/// What the rows of a model's embedding tables stand for: by it, a model that was trained on one data set goes on with
/// another, whose users, items, authors and names have other rows.
public struct ModelVocabulary: Sendable {
    /// By table, a 64-bit identity of each row but the first ones that stand for nothing: keys, and names' keys.
    private var rows: [String: SharedBuffer<UInt64>] = [:]
    /// Names of the profile fields, whose tables are `profile.0`, `profile.1` ...
    private var profile: [String] = []

    public init(users: UserTable, items: ItemTable, surfaceNames: StringTable) {
        rows["user"] = users.keys.reinterpreted(as: UInt64.self)
        rows["item"] = items.keys.reinterpreted(as: UInt64.self)
        rows["author"] = SharedBuffer(Set(items.authors).subtracting([0]).sorted())
        rows["city"] = SharedBuffer(Set(items.cities).subtracting([0]).sorted())
        rows["category"] = Self.named(items.categoryNames)
        rows["tag"] = Self.named(items.tags.names)
        rows["surface"] = Self.named(surfaceNames)
        profile = users.fields.map(\.name)
        for (index, field) in users.fields.enumerated() { rows["profile.\(index)"] = Self.named(field.vocabulary) }
    }

    /// For each row of a table here, its row in the same table of another model; nil where that does not know it.
    ///
    /// - Parameter count: rows of the table here.
    /// - Returns: nil for a table whose rows mean the same in every model.
    /// - Complexity: O(rows of both).
    func sources(of table: String, count: Int, in other: ModelVocabulary) -> (table: String, rows: [Int?])? {
        guard let own = rows[table] else { return nil }
        var theirs = table
        if table.hasPrefix("profile."), let index = Int(table.dropFirst("profile.".count)), index < profile.count {
            guard let place = other.profile.firstIndex(of: profile[index]) else {
                return (table, Array(repeating: nil, count: count))
            }
            theirs = "profile.\(place)"
        }
        var places: [UInt64: Int] = [:]
        for (place, identity) in (other.rows[theirs] ?? []).enumerated() { places[identity] = place + 1 }
        // Row 0 stands for the unknown value everywhere.
        let known = own.map { places[$0] }
        return (theirs, [0] + known + Array(repeating: nil, count: max(0, count - known.count - 1)))
    }

    private static func named(_ names: StringTable) -> SharedBuffer<UInt64> {
        SharedBuffer((0..<names.count).dropFirst().map { ItemKey(publicID: names[$0]).rawValue })
    }
}

extension ModelVocabulary {
    private static let prefix = "rows."

    init(_ file: SafetensorsFile) throws {
        for tensor in file.tensors where tensor.name.hasPrefix(Self.prefix) {
            rows[String(tensor.name.dropFirst(Self.prefix.count))] = try file.buffer(tensor.name, as: UInt64.self)
        }
        let names = try file.strings("profile_name", rows: nil)
        let table = StringTable(bytes: names.bytes, offsets: names.offsets)
        profile = (0..<table.count).map { table[$0] }
    }

    /// Adds `rows.<table>` U64 `[rows - 1]` and `profile_name` (strings).
    func add(to writer: inout SafetensorsWriter) {
        for (table, identities) in rows.sorted(by: { $0.key < $1.key }) { writer.add(Self.prefix + table, identities) }
        StringTable(profile).add(to: &writer, name: "profile_name")
    }

    /// Surfaces of a log as the model's: 0 for one that it does not know.
    package func surfaces(_ names: StringTable) -> [UInt16] {
        var places: [UInt64: UInt16] = [:]
        for (place, identity) in (rows["surface"] ?? []).enumerated() { places[identity] = UInt16(place + 1) }
        return (0..<names.count).map { names[$0].isEmpty ? 0 : places[ItemKey(publicID: names[$0]).rawValue] ?? 0 }
    }
}
