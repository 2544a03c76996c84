import Catalog
import FeatureStore
import Kernels
import Messages
import Recall

extension RecommendResponse {
    init(_ outcome: Funnel.Outcome, requestID: String) {
        self.init(
            requestID: requestID, snapshotVersion: outcome.snapshot.version,
            items: outcome.page.map { RecommendedItem($0, outcome) }, completeness: outcome.notes.message,
            userKnown: outcome.view.state.isKnown, heads: outcome.ranked?.heads ?? [])
    }
}

extension Funnel.Outcome {
    fileprivate func details(of entry: Funnel.PageEntry) -> (id: String, title: String, category: String) {
        switch entry.source {
        case .snapshot(let row):
            let items = snapshot.items
            return (items.publicIDs[row], items.titles[row], items.categoryNames[Int(items.categories[row])])
        case .live(let item): return (item.publicID, item.title, item.category)
        }
    }
}

extension Funnel.Outcome {
    /// What the heads predict of an item of the page.
    fileprivate func predictions(of entry: Funnel.PageEntry) -> SharedBuffer<Float> {
        guard let ranked, let place = entry.rank else { return [] }
        return ranked.predictions[shared: place * ranked.heads.count..<(place + 1) * ranked.heads.count]
    }

    fileprivate func terms(of entry: Funnel.PageEntry) -> [ScoreTerm] {
        guard let ranked, let place = entry.rank else { return [] }
        return ranked.terms.enumerated().map { index, name in
            let own = place * ranked.terms.count + index
            return ScoreTerm(
                name: name, value: ranked.termValues[own], contribution: ranked.termContributions[own])
        }
    }
}

extension RecommendedItem {
    fileprivate init(_ entry: Funnel.PageEntry, _ outcome: Funnel.Outcome) {
        let details = outcome.details(of: entry)
        self.init(
            itemID: details.id, score: entry.score, title: details.title, category: details.category,
            channels: outcome.channels.filter { $0.candidates.items.contains(entry.item) }.map(\.channel),
            predictions: outcome.predictions(of: entry))
    }
}

extension ExplainResponse {
    init(_ outcome: Funnel.Outcome, requestID: String) {
        let items = outcome.snapshot.items
        self.init(
            page: RecommendResponse(outcome, requestID: requestID),
            items: outcome.page.map { ItemExplanation($0, outcome, id: outcome.details(of: $0).id) },
            stages: outcome.reports,
            user: UserSummary(
                known: outcome.view.state.isKnown,
                recentItemIDs: outcome.view.state.recent.reversed().compactMap { interaction in
                    outcome.snapshot.row(of: interaction.item).map { items.publicIDs[$0] }
                },
                shown: UInt32(outcome.view.exposures.count), liveEvents: UInt32(outcome.view.liveEventCount)))
    }
}

extension ItemExplanation {
    fileprivate init(_ entry: Funnel.PageEntry, _ outcome: Funnel.Outcome, id: String) {
        self.init(
            itemID: id,
            channels: outcome.channels.compactMap { channel in
                channel.candidates.items.firstIndex(of: entry.item).map { place in
                    ChannelScore(
                        channel: channel.channel, score: channel.candidates.scores[place], position: UInt32(place + 1))
                }
            },
            finalScore: entry.score,
            recallPosition: UInt32((outcome.candidates.items.firstIndex(of: entry.item) ?? -1) + 1),
            rankPosition: UInt32((entry.rank ?? -1) + 1),
            preRankPosition: entry.rank.flatMap { outcome.ranked?.preRankPositions[$0] } ?? 0,
            preRankScore: entry.rank.flatMap { outcome.ranked?.preRankScores[$0] } ?? 0,
            terms: outcome.terms(of: entry), givenPlace: entry.isGiven)
    }
}
