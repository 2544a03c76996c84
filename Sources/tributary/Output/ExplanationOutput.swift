import Messages

/// An explained page, for people and as JSON.
struct ExplanationOutput: Encodable {
    struct Channel: Encodable {
        var channel: String
        var score: Float
        var position: UInt32
    }

    struct Item: Encodable {
        var itemId: String
        var channels: [Channel]
        var recallPosition: UInt32
        var rankPosition: UInt32
        var clickProbability: Float
        var watchSeconds: Float
        var finalScore: Float
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
        items = response.items.map { item in
            Item(
                itemId: item.itemID,
                channels: item.channels.map { Channel(channel: $0.channel, score: $0.score, position: $0.position) },
                recallPosition: item.recallPosition, rankPosition: item.rankPosition,
                clickProbability: item.clickProbability, watchSeconds: item.watchSeconds, finalScore: item.finalScore)
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
        var text = page.text(user: name) + "\nwhere each item came from\n"
        var table = TextTable("#>", "item", "channel: position, score", "recall>", "rank>", "score>")
        for (place, item) in items.enumerated() {
            let channels = item.channels.map { "\($0.channel): \($0.position), \($0.score.text(4))" }
            for (line, channel) in channels.enumerated() {
                table.add(
                    line == 0 ? "\(place + 1)" : "", line == 0 ? item.itemId : "", channel,
                    line == 0 ? "\(item.recallPosition)" : "", line == 0 ? "\(item.rankPosition)" : "",
                    line == 0 ? item.finalScore.text(4) : "")
            }
        }
        text += table.text() + "\nstages\n" + stageTable()
        text += "\nuser '\(name)': \(user.known ? "known" : "unknown"), \(user.recentItemIds.count) recent items"
        if !user.recentItemIds.isEmpty { text += " (newest \(user.recentItemIds.prefix(5).joined(separator: ", ")))" }
        return text + ", \(user.shown) shown, \(user.liveEvents) live events\n"
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
