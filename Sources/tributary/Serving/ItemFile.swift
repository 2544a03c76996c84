import Blobs
import Foundation
import Messages

/// Items as JSON lines.
enum ItemFile {
    /// Items sent in one request.
    static let batch = 1000

    struct Entry {
        /// File and line, for messages.
        var place: String
        var item: Item
    }

    /// One line, as far as its JSON has the keys.
    struct Line: Decodable {
        var itemId: String?
        var title: String?
        var category: String?
        var authorId: String?
        var publishTimeMs: Int64?
        var durationSeconds: Float?
        var latitude: Double?
        var longitude: Double?
        var city: String?
        var quality: Float?
        var price: Float?

        var item: Item {
            var place: Coordinates?
            if latitude != nil || longitude != nil {
                place = Coordinates(latitude: latitude ?? .nan, longitude: longitude ?? .nan)
            }
            return Item(
                itemID: itemId ?? "", title: title ?? "", category: category ?? "", authorID: authorId ?? "",
                publishTimeMilliseconds: publishTimeMs ?? 0, durationSeconds: durationSeconds ?? 0, place: place,
                city: city ?? "", quality: quality ?? 0, price: price ?? 0)
        }
    }

    /// Reads the whole file before anything is sent, so that a bad line leaves nothing half done.
    static func read(_ path: String) throws -> [Entry] {
        try JSONLines.read(path).map { place, line in
            guard let parsed = try? JSONLines.decoder.decode(Line.self, from: line) else {
                throw JSONLines.Failure(description: "\(place): expected one JSON object with the keys of an item")
            }
            return Entry(place: place, item: parsed.item)
        }
    }
}

/// Files of one JSON object a line.
enum JSONLines {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    /// Bytes of one file; larger ones are to be cut.
    private static let bytesMax = 1 << 30

    /// The lines that are not blank, each with its file and number.
    static func read(_ path: String) throws -> [(place: String, line: Data)] {
        let data =
            path == "-"
            ? FileHandle.standardInput.readDataToEndOfFile()
            : Data(try FileSystem.read(path, limit: bytesMax))
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return lines.enumerated().compactMap { index, line in
            line.allSatisfy { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 } ? nil : ("\(path):\(index + 1)", Data(line))
        }
    }
}
