import Kernels

/// The recommender that wrote the log: it knows popularity, news and favourite categories, and guesses at tastes.
struct LoggingPolicy {
    static let pageSize = 10
    /// Candidates drawn for a page of ``pageSize``.
    private static let candidates = 50
    /// Candidates logged of those that came too low for a page.
    private static let rejectedPerPage = 4
    /// Items no older than this are news.
    private static let newsMilliseconds: Int64 = 2 * 86_400_000

    private let world: World
    private let popularity: WeightedRows
    /// Per category, its items in order of publication, and draws from them by popularity.
    private let categories: [(rows: [Int], draw: WeightedRows)]
    /// Items every user has been shown: none is shown to him twice.
    private var shown: [Set<UInt32>]

    init(_ world: World) {
        self.world = world
        popularity = WeightedRows(world.items.map(\.popularity))
        categories = Words.categories.indices.map { category in
            let rows = world.items.indices.filter { world.items[$0].category == category }
            return (rows, WeightedRows(rows.map { world.items[$0].popularity }))
        }
        shown = Array(repeating: [], count: world.users.count)
    }

    struct Page {
        /// Best first by the policy's lights.
        var shown: [Int] = []
        /// Candidates that came too low, a few of them, from all over their order.
        var rejected: [Int] = []
    }

    mutating func page(user: Int, timeMilliseconds: Int64, using random: inout SeededGenerator) -> Page {
        let published = world.items.partitioningIndex { $0.publishMilliseconds > timeMilliseconds }
        let fresh = world.items.partitioningIndex { $0.publishMilliseconds > timeMilliseconds - Self.newsMilliseconds }
        guard published > 0 else { return Page() }
        var scores: [(item: Int, score: Double)] = []
        for _ in 0..<Self.candidates {
            let item = candidate(user, published: published, fresh: fresh, timeMilliseconds, &random)
            guard !shown[user].contains(UInt32(item)), !scores.contains(where: { $0.item == item }) else { continue }
            let guess = 1.5 * world.match(user: user, item: item) + world.items[item].quality
            scores.append((item, guess + 1.2 * random.portableNormal()))
        }
        scores.sort { ($0.score, $1.item) > ($1.score, $0.item) }
        let page = scores.prefix(Self.pageSize).map(\.item)
        shown[user].formUnion(page.map { UInt32($0) })
        let others = scores.dropFirst(Self.pageSize).map(\.item)
        let count = min(others.count, Self.rejectedPerPage)
        return Page(shown: page, rejected: (0..<count).map { others[$0 * others.count / count] })
    }

    private func candidate(
        _ user: Int, published: Int, fresh: Int, _ time: Int64, _ random: inout SeededGenerator
    ) -> Int {
        let choice = random.uniformDouble()
        if choice < 0.35 { return popularity.draw(among: published, using: &random) }
        if choice < 0.65 {
            let favourites = world.users[user].favourites
            let category = categories[favourites[random.index(below: favourites.count)]]
            let there = category.rows.partitioningIndex { $0 >= published }
            if there > 0 { return category.rows[category.draw.draw(among: there, using: &random)] }
        }
        if choice < 0.8, fresh < published { return fresh + random.index(below: published - fresh) }
        return random.index(below: published)
    }
}

extension Array {
    /// The first index whose element satisfies `isAfter`, which no element before it does; `count` when none does.
    ///
    /// - Complexity: O(log n).
    func partitioningIndex(_ isAfter: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
