public import Catalog
import Kernels

/// What happens in a generated world over its days.
extension World {
    /// One user's visit, of some pages.
    private struct Visit {
        var timeMilliseconds: Int64
        var user: Int
        var pages: Int
        var surface: Int
    }

    /// Rows between two progress reports.
    private static let progressInterval = 4096
    /// Visits by hour of the day, UTC: quiet nights, busy evenings.
    private static let hours: [Double] = [
        3, 2, 1, 1, 1, 2, 4, 7, 8, 7, 7, 8, 10, 9, 7, 7, 8, 10, 12, 14, 15, 13, 9, 5,
    ]

    /// Runs the world and logs every showing with what followed it.
    ///
    /// - Parameter progress: called now and then with the part done, 0...1.
    /// - Complexity: O(impressions), and of memory O(users + items + impressions).
    public func log(progress: (Double) -> Void = { _ in }) throws(CatalogError) -> Dataset {
        var builder = DatasetBuilder(
            name: "generated (seed \(configuration.seed))", userFields: ["city", "age", "device"])
        try addEntities(to: &builder)
        var surfaces: [UInt16] = []
        for name in Words.surfaces { surfaces.append(try builder.addSurface(name)) }
        var random = SeededGenerator(seed: configuration.seed, stream: 3)
        var policy = LoggingPolicy(self)
        for visit in visits(&random) where builder.eventCount < configuration.impressions {
            var time = visit.timeMilliseconds
            for _ in 0..<visit.pages {
                let page = policy.page(user: visit.user, timeMilliseconds: time, using: &random)
                for item in page.rejected where builder.eventCount < configuration.impressions {
                    builder.addRejected(user: UInt32(visit.user), item: UInt32(item), timeMilliseconds: time)
                }
                for (place, item) in page.shown.enumerated() where builder.eventCount < configuration.impressions {
                    let outcome = outcome(visit.user, item, position: place + 1, time, &random)
                    builder.addEvent(
                        user: UInt32(visit.user), item: UInt32(item), timeMilliseconds: time, actions: outcome.actions,
                        watchSeconds: outcome.watchSeconds, surface: surfaces[visit.surface])
                    if builder.eventCount % Self.progressInterval == 0 {
                        progress(Double(builder.eventCount) / Double(configuration.impressions))
                    }
                    time += 1 + Int64(1000 * outcome.watchSeconds)
                }
                time += 2000 + Int64(random.uniformDouble() * 20_000)
            }
        }
        progress(1)
        return try builder.build().dataset
    }

    private func addEntities(to builder: inout DatasetBuilder) throws(CatalogError) {
        for (row, user) in users.enumerated() {
            let fields = [Words.cities[user.city], Words.ages[user.age], Words.devices[user.device]]
            try builder.addUser(String(row + 1), fields: fields)
        }
        var random = SeededGenerator(seed: configuration.seed, stream: 4)
        for (row, item) in items.enumerated() {
            try builder.addItem(
                String(row + 1),
                details: ItemDetails(
                    title: Words.title(category: item.category, &random),
                    category: Words.categories[item.category].name,
                    author: String(item.author + 1), publishMilliseconds: item.publishMilliseconds,
                    durationSeconds: Float(item.durationSeconds),
                    place: Place(latitude: item.latitude, longitude: item.longitude), city: Words.cities[item.city],
                    quality: Float(item.rating)))
        }
    }

    /// Visits in order of time, a few more than the log needs.
    private func visits(_ random: inout SeededGenerator) -> [Visit] {
        let activity = WeightedRows(users.map(\.activity))
        let hour = WeightedRows(Self.hours)
        var visits: [Visit] = []
        // Pages that come out short, because a user has seen what was drawn, are made up for.
        var pagesLeft = configuration.impressions / LoggingPolicy.pageSize * 21 / 20 + 2
        while pagesLeft > 0 {
            let day = random.index(below: configuration.days)
            let minute = Double(hour.draw(using: &random)) * 60 + random.uniformDouble() * 60
            let time = configuration.startMilliseconds + Int64(day) * 86_400_000 + Int64(minute * 60_000)
            let visit = Visit(
                timeMilliseconds: time, user: activity.draw(using: &random), pages: 1 + random.index(below: 4),
                surface: random.chance(0.7) ? 0 : 1)
            visits.append(visit)
            pagesLeft -= visit.pages
        }
        return visits.sorted { ($0.timeMilliseconds, $0.user, $0.pages) < ($1.timeMilliseconds, $1.user, $1.pages) }
    }

    /// What the user does with an item shown to him.
    private func outcome(
        _ user: Int, _ item: Int, position: Int, _ time: Int64, _ random: inout SeededGenerator
    ) -> (actions: Actions, watchSeconds: Float) {
        var actions: Actions = .impression
        let match = match(user: user, item: item)
        let quality = items[item].quality
        let click = clickProbability(user: user, item: item, position: position, timeMilliseconds: time)
        guard random.chance(click) else {
            if random.chance(PortableMath.logistic(-6 - 3 * match)) { actions.insert(.hide) }
            return (actions, 0)
        }
        actions.insert(.click)
        // The part watched: about half on average, more of what suits; 1 and above is to the end.
        let part = PortableMath.logistic(2.5 * match + 0.4 * quality - 0.6 + random.portableNormal()) * 1.15
        if part >= 1 { actions.insert(.finish) }
        let enjoyment = 2.5 * match + 0.5 * quality + (part >= 1 ? 0.7 : 0)
        for (action, rarity) in [(Actions.like, 3.0), (.collect, 4.2), (.share, 4.8), (.comment, 5.0), (.follow, 5.2)]
        where random.chance(PortableMath.logistic(enjoyment - rarity)) {
            actions.insert(action)
        }
        return (actions, Float(min(part, 1) * items[item].durationSeconds))
    }
}
