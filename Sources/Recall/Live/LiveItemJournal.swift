import Blobs
import Catalog
import Foundation

/// A shard's live items on its own disk, one JSON object a line, appended to and now and then written anew.
public actor LiveItemJournal {
    /// What a journal may take on disk: far more than a full segment twice over.
    private static let bytesMax = 256 << 20

    fileprivate struct Line: Codable {
        var id: String
        var title: String
        var category: String
        var author: UInt64
        var city: UInt64
        var publishMs: Int64
        var seconds: Float
        var latitude: Double?
        var longitude: Double?
        var quality: Float?
        var price: Float?
    }

    private let path: String
    private var lines = 0

    /// - Parameter path: of a file in a folder that is there, or will be made.
    public init(path: String) {
        self.path = path
    }

    /// The items, in the order in which they came, and how many lines are none. A last line that was cut off by the end of
    /// the process was never acknowledged.
    func read() throws -> (items: [LiveItem], unreadable: Int) {
        guard FileSystem.exists(path) else { return ([], 0) }
        let bytes = try FileSystem.read(path, limit: Self.bytesMax)
        let decoder = JSONDecoder()
        var items: [LiveItem] = []
        var unreadable = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if let parsed = try? decoder.decode(Line.self, from: Data(line)), let item = parsed.item {
                items.append(item)
            } else {
                unreadable += 1
            }
        }
        // A line that was cut off is ended by writing the file anew.
        try rewrite(items)
        return (items, unreadable)
    }

    func append(_ items: [LiveItem]) throws {
        if !FileSystem.exists(path) { try rewrite([]) }
        let file = try File(path, .update)
        try Self.encoded(items).withUnsafeBytes { try file.write($0, at: file.size()) }
        try file.synchronize()
        lines += items.count
    }

    /// Writes the file anew when most of its lines are out of date.
    func compact(to items: [LiveItem]) throws {
        if lines > 2 * items.count + 1_000 { try rewrite(items) }
    }

    private func rewrite(_ items: [LiveItem]) throws {
        try FileSystem.createDirectory((path as NSString).deletingLastPathComponent)
        try FileSystem.replace(path, with: Self.encoded(items))
        lines = items.count
    }

    private static func encoded(_ items: [LiveItem]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var bytes: [UInt8] = []
        for item in items {
            bytes += try encoder.encode(Line(item))
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }
}

extension LiveItemJournal.Line {
    fileprivate init(_ item: LiveItem) {
        self.init(
            id: item.publicID, title: item.title, category: item.category, author: item.author, city: item.city,
            publishMs: item.publishMilliseconds, seconds: item.durationSeconds, latitude: item.place?.latitude,
            longitude: item.place?.longitude, quality: item.quality, price: item.price)
    }

    fileprivate var item: LiveItem? {
        guard !id.isEmpty else { return nil }
        var place: Place?
        if let latitude, let longitude { place = Place(latitude: latitude, longitude: longitude) }
        return LiveItem(
            publicID: id, title: title, category: category, author: author, city: city, publishMilliseconds: publishMs,
            durationSeconds: seconds, place: place, quality: quality, price: price)
    }
}
