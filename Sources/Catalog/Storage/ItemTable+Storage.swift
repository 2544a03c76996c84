public import Blobs
import Kernels

extension ItemTable {
    /// Reads a table that ``add(to:)`` wrote, and checks every row.
    ///
    /// - Complexity: O(rows); the columns stay in the mapped file.
    public init(_ file: SafetensorsFile) throws(CatalogError) {
        let keys = try file.keys("key")
        let categoryNames = try file.vocabulary("category_name")
        self.init(
            keys: keys.reinterpreted(as: ItemKey.self),
            publicIDs: try file.stringTable("public_id", rows: keys.count),
            titles: try file.stringTable("title", rows: keys.count),
            categories: try file.references(
                "category", as: UInt32.self, rows: keys.count, below: categoryNames.count, of: "category_name"),
            categoryNames: categoryNames,
            authors: try file.column("author", as: UInt64.self, rows: keys.count),
            publishTimes: try file.column("publish_time_ms", as: Int64.self, rows: keys.count),
            durations: try file.amounts("duration_seconds", rows: keys.count),
            latitudes: try file.numbers("latitude", in: -90...90, rows: keys.count),
            longitudes: try file.numbers("longitude", in: -180...180, rows: keys.count),
            cities: try file.column("city", as: UInt64.self, rows: keys.count),
            qualities: try file.numbers("quality", in: 0...1, rows: keys.count),
            prices: file.contains("price")
                ? try file.numbers("price", in: 0...Float(Self.priceMax), rows: keys.count) : nil,
            tags: try ItemTags(file, items: keys.count))
    }

    /// Adds the table's columns: `key` U64, `public_id`, `title` and `category_name` (strings), `category` U32,
    /// `author` U64, `publish_time_ms` I64, `duration_seconds`, `latitude`, `longitude` F32, `city` U64, `quality` F32, `price` F32
    /// unless it is unknown of every item, and those of its tags.
    public func add(to writer: inout SafetensorsWriter) {
        writer.add("key", keys.reinterpreted(as: UInt64.self))
        publicIDs.add(to: &writer, name: "public_id")
        titles.add(to: &writer, name: "title")
        writer.add("category", categories)
        categoryNames.add(to: &writer, name: "category_name")
        writer.add("author", authors)
        writer.add("publish_time_ms", publishTimes)
        writer.add("duration_seconds", durations)
        writer.add("latitude", latitudes)
        writer.add("longitude", longitudes)
        writer.add("city", cities)
        writer.add("quality", qualities)
        if prices.contains(where: { !$0.isNaN }) { writer.add("price", prices) }
        tags.add(to: &writer)
    }
}

extension ItemTags {
    /// Reads the tags of a table of items; one that was written without them has none.
    init(_ file: SafetensorsFile, items: Int) throws(CatalogError) {
        guard file.contains("tag.offsets") else {
            self.init(items: items)
            return
        }
        let names = try file.vocabulary("tag_name")
        let rows = try file.references("tag", as: UInt32.self, below: names.count, of: "tag_name")
        let offsets = try catalogErrors { () throws(BlobError) in
            try file.offsets("tag.offsets", spanning: rows.count, rows: items)
        }
        self.init(names: names, offsets: offsets, rows: rows)
    }

    /// Adds `tag_name` (strings), `tag.offsets` U64 and `tag` U32; nothing when no item has tags.
    func add(to writer: inout SafetensorsWriter) {
        guard !rows.isEmpty else { return }
        names.add(to: &writer, name: "tag_name")
        writer.add("tag.offsets", offsets)
        writer.add("tag", rows)
    }
}
