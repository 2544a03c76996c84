import Catalog
import Kernels
import Recall

extension BenchWorld {
    /// Candidates of each channel: those of the default funnel.
    private static let limits = [
        ("two-tower", 300), ("als", 100), ("itemcf", 100), ("swing", 100), ("usercf", 100), ("sequence", 100),
        ("popular", 100), ("newest", 50), ("new-item", 50), ("place", 50), ("city", 50), ("followed-author", 100),
        ("author", 50), ("similar-author", 50),
    ]

    /// Requests with a last-n of `triggers` items, and what encoders make of such users.
    func queries(triggers: Int, excluded: Int) -> [RecallQuery] {
        var random = SeededGenerator(seed: 3)
        let keys = dataset.items.keys
        return (0..<vectors.users.count / vectors.dimension - Self.heldOut).map { row in
            let items = lastItems(triggers, &random).map { keys[$0] }
            let inputs = inputs(row, items, &random)
            return RecallQuery(
                user: UserKey(rawValue: UInt64(row)), triggers: SharedBuffer(items),
                triggerWeights: SharedBuffer(items.map { _ in 1 }),
                channels: Self.limits.map {
                    ChannelRequest(channel: $0.0, limit: $0.1, input: inputs[$0.0] ?? ChannelInput())
                },
                excludedItems: SharedBuffer(
                    (0..<excluded).map { _ in keys[Int.random(in: 0..<keys.count, using: &random)] }),
                timeMilliseconds: Int64(keys.count) * 60_000)
        }
    }

    /// Rows of items out of some users' histories.
    private func lastItems(_ count: Int, _ random: inout SeededGenerator) -> [Int] {
        var found: [Int] = []
        var seen: Set<Int> = []
        for _ in histories.indices where found.count < count {
            for item in histories[Int.random(in: 0..<histories.count, using: &random)]
            where found.count < count && seen.insert(item).inserted {
                found.append(item)
            }
        }
        return found
    }

    private func inputs(_ row: Int, _ items: [ItemKey], _ random: inout SeededGenerator) -> [String: ChannelInput] {
        let width = vectors.dimension
        let vector = ChannelInput(vector: SharedBuffer(vectors.users[row * width..<(row + 1) * width]))
        func some(_ count: Int, of total: Int) -> ChannelInput {
            var keys: Set<UInt64> = []
            while keys.count < count { keys.insert(UInt64(Int.random(in: 1...total, using: &random))) }
            return ChannelInput(
                keys: SharedBuffer(keys.sorted()), weights: SharedBuffer((1...count).map { 1 / Float($0) }))
        }
        let town = Int.random(in: 0..<Self.cities, using: &random)
        let location = Self.place(in: town, &random)
        var cells: [UInt64] = []
        if let place = Place(latitude: location.latitude, longitude: location.longitude) {
            let cell = GeoHash(place, precision: 5)
            cells = ([cell] + cell.neighbours).map(\.key)
        }
        let last = items.prefix(5)
        return [
            "two-tower": vector, "als": vector, "usercf": some(50, of: histories.count - 1),
            "sequence": ChannelInput(
                keys: SharedBuffer(last.map(\.rawValue)), weights: SharedBuffer(last.indices.map { 1 / Float($0 + 1) })),
            "place": ChannelInput(keys: SharedBuffer(cells), weights: SharedBuffer(cells.map { _ in 1 })),
            "city": ChannelInput(keys: [UInt64(town + 1)], weights: [1]),
            "followed-author": some(20, of: Self.authors), "author": some(20, of: Self.authors),
            "similar-author": some(100, of: Self.authors),
        ]
    }
}
