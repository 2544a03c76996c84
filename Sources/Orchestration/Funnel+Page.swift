import Catalog
import FeatureStore
import Kernels
import Messages
import Recall

extension Funnel {
    /// Puts the best on the page, with a place for a new item that has not had its guaranteed impressions, and notes what
    /// the ranker would have put next.
    func fillPage(_ outcome: inout Outcome, size: Int) {
        let entries = entries(of: outcome)
        var page = Array(entries.prefix(size))
        let given = giveNewItemsTheirPlaces(&page, of: entries, outcome)
        if given > 0 {
            outcome.reports.append(
                StageReport(
                    stage: "page", snapshotVersion: outcome.snapshot.version, itemsIn: UInt32(entries.count),
                    itemsOut: UInt32(page.count), note: "new items that were given a place: \(given)"))
        }
        outcome.page = page
        let shown = Set(page.map(\.item))
        outcome.spare = entries.filter { !shown.contains($0.item) }
        guard outcome.ranked != nil, configuration.channels.contains(where: { $0.channel == ChannelName.cache }) else {
            return
        }
        let new = Set(newItems(of: outcome)?.items ?? [])
        outcome.kept = outcome.spare.prefix(RecallCache.keptPerPage).map {
            CachedItem(item: $0.item, score: $0.score, isUnderExposed: new.contains($0.item))
        }
    }

    /// Candidates that can be shown, best first.
    private func entries(of outcome: Outcome) -> [PageEntry] {
        guard let ranked = outcome.ranked else {
            return outcome.candidates.items.enumerated().compactMap { place, item in
                source(of: item, outcome).map {
                    PageEntry(item: item, source: $0, score: outcome.candidates.scores[place])
                }
            }
        }
        return ranked.items.indices.compactMap { place in
            source(of: ranked.items[place], outcome).map {
                PageEntry(item: ranked.items[place], source: $0, score: ranked.scores[place], rank: place)
            }
        }
    }

    private func source(of item: ItemKey, _ outcome: Outcome) -> Source? {
        outcome.snapshot.row(of: item).map(Source.snapshot) ?? outcome.live[item].map(Source.live)
    }

    private func newItems(of outcome: Outcome) -> Candidates? {
        outcome.channels.first { $0.channel == ChannelName.newItem }?.candidates
    }

    /// Guaranteed impressions: places of the page are for the least shown of the new-item channel's items, in its middle where
    /// ranking put none of them; of equally little shown ones those that were ranked best. A new item that was shown more
    /// takes no place from one that was shown less.
    ///
    /// - Returns: how many were given a place.
    private func giveNewItemsTheirPlaces(_ page: inout [PageEntry], of entries: [PageEntry], _ outcome: Outcome) -> Int
    {
        let places = min(configuration.newItemPlaces, page.count / Self.newItemShare)
        guard places > 0, outcome.view.state.isKnown, let new = newItems(of: outcome) else { return 0 }
        // The less an item was shown, the higher its score.
        var scores: [ItemKey: Float] = [:]
        for (item, score) in zip(new.items, new.scores) { scores[item] = score }
        let waiting = entries.dropFirst(page.count).enumerated().compactMap { place, entry in
            scores[entry.item].map { (entry: entry, score: $0, place: place) }
        }.sorted { ($1.score, $0.place) < ($0.score, $1.place) }
        guard let least = waiting.first?.score else { return 0 }
        let missing = places - page.count { scores[$0.item].map { $0 >= least } ?? false }
        guard missing > 0 else { return 0 }
        let given = waiting.prefix(missing).map { waiting in
            var entry = waiting.entry
            entry.isGiven = true
            return entry
        }
        let middle = page.count / 2
        page.removeLast(given.count)
        page.insert(contentsOf: given, at: min(middle, page.count))
        return given.count
    }

    /// New items get at most one place in so many.
    private static let newItemShare = 5
}

extension Funnel.Outcome {
    /// Takes items off the page and puts the next ones at its end.
    ///
    /// - Returns: the items that came in.
    mutating func replace(_ items: Set<ItemKey>) -> [ItemKey] {
        let size = page.count
        page.removeAll { items.contains($0.item) }
        let next = Array(spare.prefix(size - page.count))
        spare.removeFirst(next.count)
        page += next
        return next.map(\.item)
    }
}
