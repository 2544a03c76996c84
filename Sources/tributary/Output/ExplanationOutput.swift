import Messages

/// An explained page, for people and as JSON.
struct ExplanationOutput: Encodable {
    struct Channel: Encodable {
        var channel: String
        var score: Float
        var position: UInt32
    }

    /// What the score is made of.
    struct Term: Encodable {
        var name: String
        var value: Float
        /// A summand or a factor of the score.
        var contribution: Float
    }

    struct Item: Encodable {
        var itemId: String
        var channels: [Channel]
        var recallPosition: UInt32
        var preRankPosition: UInt32
        var preRankScore: Float
        var rankPosition: UInt32
        var predictions: [String: Float]
        var terms: [Term]
        var finalScore: Float
        /// Whether it has its place as a new item, before items that were ranked higher.
        var givenPlace: Bool
    }

    struct Stage: Encodable {
        var stage: String
        var address: String
        var snapshotVersion: String
        var itemsIn: UInt32
        var itemsOut: UInt32
        var microseconds: UInt64
        var note: String
    }

    struct User: Encodable {
        var known: Bool
        var recentItemIds: [String]
        var shown: UInt32
        var liveEvents: UInt32
    }

    var page: PageOutput
    var items: [Item]
    var stages: [Stage]
    var user: User

    init(_ response: ExplainResponse) {
        page = PageOutput(response.page ?? RecommendResponse())
        let predictions = page.items.map(\.predictions) + Array(repeating: [:], count: response.items.count)
        items = zip(response.items, predictions).map { item, predictions in
            Item(
                itemId: item.itemID,
                channels: item.channels.map { Channel(channel: $0.channel, score: $0.score, position: $0.position) },
                recallPosition: item.recallPosition, preRankPosition: item.preRankPosition,
                preRankScore: item.preRankScore, rankPosition: item.rankPosition, predictions: predictions,
                terms: item.terms.map { Term(name: $0.name, value: $0.value, contribution: $0.contribution) },
                finalScore: item.finalScore, givenPlace: item.givenPlace)
        }
        stages = response.stages.map {
            Stage(
                stage: $0.stage, address: $0.address, snapshotVersion: $0.snapshotVersion, itemsIn: $0.itemsIn,
                itemsOut: $0.itemsOut, microseconds: $0.microseconds, note: $0.note)
        }
        let summary = response.user ?? UserSummary()
        user = User(
            known: summary.known, recentItemIds: summary.recentItemIDs, shown: summary.shown,
            liveEvents: summary.liveEvents)
    }

    func text(user name: String) -> String {
        var text = page.text(user: name) + "\nwhere each item came from\n" + provenanceTable()
        if items.contains(where: { !$0.terms.isEmpty }) {
            text += "\nwhat its score is made of\n" + termTable()
        }
        text += "\nstages\n" + stageTable()
        text += "\nuser '\(name)': \(user.known ? "known" : "unknown"), \(user.recentItemIds.count) recent items"
        if !user.recentItemIds.isEmpty { text += " (newest \(user.recentItemIds.prefix(5).joined(separator: ", ")))" }
        return text + ", \(user.shown) shown, \(user.liveEvents) live events\n"
    }

    private func provenanceTable() -> String {
        var table = TextTable("#>", "item", "channel: position, score", "recall>", "pre-rank>", "rank>", "score>", "")
        for (place, item) in items.enumerated() {
            let channels = item.channels.map { "\($0.channel): \($0.position), \($0.score.text(4))" }
            for (line, channel) in channels.enumerated() {
                guard line == 0 else {
                    table.add("", "", channel, "", "", "", "", "")
                    continue
                }
                table.add(
                    "\(place + 1)", item.itemId, channel, "\(item.recallPosition)", "\(item.preRankPosition)",
                    "\(item.rankPosition)", item.finalScore.text(4),
                    item.givenPlace ? "given its place as a new item" : "")
            }
        }
        return table.text()
    }

    /// What each term of the formula read and what it came to, and what else is predicted.
    private func termTable() -> String {
        var table = TextTable("#>", "item", "score>", "terms: value -> summand or factor")
        for (place, item) in items.enumerated() {
            let terms = item.terms.map { "\($0.name) \($0.value.text(4)) -> \($0.contribution.text(4))" }
            let named = Set(item.terms.map(\.name))
            let others = item.predictions.filter { !named.contains($0.key) }.sorted { $0.key < $1.key }
                .map { "\($0.key) \($0.value.text(4))" }
            let text = terms.joined(separator: ", ") + (others.isEmpty ? "" : "; " + others.joined(separator: ", "))
            table.add("\(place + 1)", item.itemId, item.finalScore.text(4), text)
        }
        return table.text()
    }

    private func stageTable() -> String {
        var table = TextTable("stage", "address", "in>", "out>", "time>", "note")
        for stage in stages {
            table.add(
                stage.stage, stage.address, "\(stage.itemsIn)", "\(stage.itemsOut)",
                stage.microseconds.millisecondsText, stage.note)
        }
        return table.text()
    }
}
