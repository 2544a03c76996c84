import ArgumentParser
import Foundation
import Messages
import RPC
import Service

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Record what users did with items.",
        discussion: """
            One event from flags, or many from a file of JSON lines with the keys event_id, user_id, item_id, kind, \
            time_ms, value and request_id, of which user_id, item_id and kind are required. Kinds: \
            \(EventKind.names.keys.sorted().joined(separator: ", ")). An event without an id gets one.
            """)

    @Option(help: "The user's id.")
    var user: String?

    @Option(help: "The item's id.")
    var item: String?

    @Option(help: "What the user did: \(EventKind.names.keys.sorted().joined(separator: ", ")).")
    var kind: String?

    @Option(help: "For play: seconds watched.")
    var value: Float?

    @Option(help: "Milliseconds since 1970; now when left out.")
    var timeMs: Int64?

    @Option(help: "Unique id; an event sent twice under one id counts once.")
    var eventId: String?

    @Option(help: "A file of JSON lines; - reads standard input.")
    var file: String?

    @OptionGroup var cluster: ClusterAddress

    func validate() throws {
        let flags: [Any?] = [user, item, kind, value, timeMs, eventId]
        if file != nil, flags.contains(where: { $0 != nil }) {
            throw ValidationError("--file: cannot be combined with the flags of a single event")
        }
        if file == nil, user == nil || item == nil || kind == nil {
            throw ValidationError("expected --user, --item and --kind, or --file")
        }
    }

    func run() async throws {
        let events = try readEvents()
        let client = try cluster.client()
        var accepted: UInt32 = 0
        var duplicates: UInt32 = 0
        var rejected = 0
        for start in stride(from: 0, to: events.count, by: EventFile.batch) {
            let batch = events[start..<min(start + EventFile.batch, events.count)]
            let response = try await client.unary(
                RecommenderMethods.recordEvents, RecordEventsRequest(events: batch.map(\.event)),
                options: cluster.options)
            accepted += response.accepted
            duplicates += response.duplicates
            rejected += response.rejected.count
            for event in response.rejected where Int(event.index) < batch.count {
                Program.complain("tributary", "\(batch[start + Int(event.index)].place): \(event.reason)")
            }
        }
        await client.close()
        print("\(accepted) accepted, \(duplicates) duplicates, \(rejected) rejected")
        if rejected > 0 { throw ExitCode(Program.badInput) }
    }

    private func readEvents() throws -> [EventFile.Entry] {
        if let file { return try EventFile.read(file) }
        guard
            let event = EventFile.Line(
                eventId: eventId, userId: user, itemId: item, kind: kind, timeMs: timeMs, value: value
            ).event
        else {
            throw ValidationError("--kind: expected one of \(EventKind.nameList), found '\(kind ?? "")'")
        }
        return [EventFile.Entry(place: "the event", event: event)]
    }
}
