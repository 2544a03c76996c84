import Foundation
import Messages

/// Events as JSON lines.
enum EventFile {
    /// Events sent in one request.
    static let batch = 1000

    struct Entry {
        /// File and line, for messages.
        var place: String
        var event: Event
    }

    /// One line, as far as its JSON has the keys.
    struct Line: Decodable {
        var eventId: String?
        var userId: String?
        var itemId: String?
        var kind: String?
        var timeMs: Int64?
        var value: Float?
        var requestId: String?

        /// Nil when the kind is none of ``EventKind/names``.
        var event: Event? {
            guard let kind, let kind = EventKind.names[kind] else { return nil }
            return Event(
                eventID: eventId ?? UUID().uuidString, userID: userId ?? "", itemID: itemId ?? "", kind: kind,
                timeMilliseconds: timeMs ?? 0, value: value ?? 0, requestID: requestId ?? "")
        }
    }

    /// Reads the whole file before anything is sent, so that a bad line leaves nothing half done.
    static func read(_ path: String) throws -> [Entry] {
        try JSONLines.read(path).map { place, line in
            guard let parsed = try? JSONLines.decoder.decode(Line.self, from: line) else {
                throw JSONLines.Failure(description: "\(place): expected one JSON object with the keys of an event")
            }
            guard let event = parsed.event else {
                throw JSONLines.Failure(
                    description: "\(place): kind: expected one of \(EventKind.nameList), found '\(parsed.kind ?? "")'")
            }
            return Entry(place: place, event: event)
        }
    }
}

extension EventKind {
    static let names: [String: EventKind] = [
        "impression": .impression, "click": .click, "play": .play, "finish": .finish, "like": .like,
        "collect": .collect, "share": .share, "comment": .comment, "follow": .follow, "hide": .hide,
        "cart": .cart, "purchase": .purchase,
    ]

    static var nameList: String { names.keys.sorted().joined(separator: ", ") }
}
