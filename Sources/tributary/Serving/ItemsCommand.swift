import ArgumentParser
import Foundation
import Messages
import RPC
import Service

struct ItemsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "items", abstract: "Items newer than the snapshot.", subcommands: [ItemsAddCommand.self])
}

struct ItemsAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Make items recallable at once, before a snapshot has them.",
        discussion: """
            One item from flags, or many from a file of JSON lines with the keys item_id, title, category, author_id, \
            publish_time_ms, duration_seconds, latitude, longitude, city, quality and price, of which item_id is \
            required.
            """)

    @Option(help: "The item's id.")
    var item: String?

    @Option(help: "Its title.")
    var title: String?

    @Option(help: "Its category, as in the imported items.")
    var category: String?

    @Option(help: "The author's id.")
    var author: String?

    @Option(help: "When it was published, milliseconds since 1970; now when left out.")
    var publishTimeMs: Int64?

    @Option(help: "Its length in seconds.")
    var duration: Float?

    @Option(help: "Where it is, degrees; with --longitude.")
    var latitude: Double?

    @Option(help: "Where it is, degrees; with --latitude.")
    var longitude: Double?

    @Option(help: "Its city.")
    var city: String?

    @Option(help: "How good it is, above 0 and up to 1.")
    var quality: Float?

    @Option(help: "Its price, above 0 (0: unknown), in the currency of the imported items.")
    var price: Float?

    @Option(help: "A file of JSON lines; - reads standard input.")
    var file: String?

    @OptionGroup var cluster: ClusterAddress

    func validate() throws {
        let flags: [Any?] = [
            item, title, category, author, publishTimeMs, duration, latitude, longitude, city, quality, price,
        ]
        if file != nil, flags.contains(where: { $0 != nil }) {
            throw ValidationError("--file: cannot be combined with the flags of a single item")
        }
        if file == nil, item == nil { throw ValidationError("expected --item or --file") }
        if (latitude == nil) != (longitude == nil) {
            throw ValidationError("--latitude and --longitude: expected both or neither")
        }
    }

    func run() async throws {
        let items = try readItems()
        let client = try cluster.client()
        var accepted: UInt32 = 0
        var rejected = 0
        var reasons: [String] = []
        for start in stride(from: 0, to: items.count, by: ItemFile.batch) {
            let batch = items[start..<min(start + ItemFile.batch, items.count)]
            let response = try await client.unary(
                RecommenderMethods.upsertItems, UpsertItemsRequest(items: batch.map(\.item)), options: cluster.options)
            accepted += response.accepted
            rejected += response.rejected.count
            for item in response.rejected where Int(item.index) < batch.count {
                Program.complain("tributary", "\(batch[start + Int(item.index)].place): \(item.reason)")
            }
            for reason in response.reasons where !reasons.contains(reason) { reasons.append(reason) }
        }
        await client.close()
        for reason in reasons { Program.complain("tributary", "sent again, the items reach \(reason)") }
        print("\(accepted) accepted, \(rejected) rejected")
        if rejected > 0 { throw ExitCode(Program.badInput) }
    }

    private func readItems() throws -> [ItemFile.Entry] {
        if let file { return try ItemFile.read(file) }
        let line = ItemFile.Line(
            itemId: item, title: title, category: category, authorId: author, publishTimeMs: publishTimeMs,
            durationSeconds: duration, latitude: latitude, longitude: longitude, city: city, quality: quality,
            price: price)
        return [ItemFile.Entry(place: "the item", item: line.item)]
    }
}
