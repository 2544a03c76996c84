import Messages

/// A page of recommendations, for people and as JSON.
struct PageOutput: Encodable {
    struct Item: Encodable {
        var itemId: String
        var title: String
        var category: String
        var channels: [String]
        var score: Float
        /// By head: probabilities, and seconds for watch times.
        var predictions: [String: Float]
    }

    struct Completeness: Encodable {
        var shardsAsked: UInt32
        var shardsAnswered: UInt32
        var missingChannels: [String]
        var order: String
        var reasons: [String]
    }

    var requestId: String
    var snapshotVersion: String
    var userKnown: Bool
    var items: [Item]
    var completeness: Completeness

    init(_ page: RecommendResponse) {
        requestId = page.requestID
        snapshotVersion = page.snapshotVersion
        userKnown = page.userKnown
        items = page.items.map {
            Item(
                itemId: $0.itemID, title: $0.title, category: $0.category, channels: $0.channels, score: $0.score,
                predictions: Dictionary(zip(page.heads, $0.predictions)) { first, _ in first })
        }
        let told = page.completeness ?? Messages.Completeness()
        completeness = Completeness(
            shardsAsked: told.shardsAsked, shardsAnswered: told.shardsAnswered, missingChannels: told.missingChannels,
            order: told.order.text, reasons: told.reasons)
    }

    func text(user: String) -> String {
        var table = TextTable("#>", "item", "title", "category", "channels", "score>", "p(click)>", "watch s>")
        func prediction(_ head: String, of item: Item, digits: Int) -> String {
            item.predictions[head]?.text(digits) ?? "-"
        }
        for (place, item) in items.enumerated() {
            table.add(
                "\(place + 1)", item.itemId, item.title, item.category, item.channels.joined(separator: " "),
                item.score.text(4), prediction("click", of: item, digits: 4),
                prediction("watch_time", of: item, digits: 1))
        }
        var text = userKnown ? "" : "nothing is known of user '\(user)': this is the popular page\n"
        text += items.isEmpty ? "no items\n" : table.text()
        text += "\(items.count) items in \(completeness.order) order, snapshot \(snapshotVersion), "
        text += "\(completeness.shardsAnswered) of \(completeness.shardsAsked) shards, request \(requestId)\n"
        if !completeness.missingChannels.isEmpty {
            text += "incomplete: missing \(completeness.missingChannels.joined(separator: ", "))\n"
        }
        for reason in completeness.reasons { text += "  \(reason)\n" }
        return text
    }
}

extension Order {
    /// As it is told to people.
    fileprivate var text: String {
        switch self {
        case .ranked: "ranked"
        case .preRanked: "pre-ranked"
        default: "recalled"
        }
    }
}
