import Kernels

/// Where categories, authors, cities and ages lie among tastes, and how users and items are drawn around them.
struct TasteSpace {
    /// Items per author, on average.
    private static let itemsPerAuthor = 25
    /// Days over which the items that are there when the log begins were published.
    private static let archiveDays = 60.0
    /// Part of the items that are published while the log runs.
    private static let newShare = 0.4

    private let configuration: WorldConfiguration
    private let categories: [[Double]]
    private let authors: [(home: Int, offset: [Double])]
    private let cities: [[Double]]
    private let ages: [[Double]]
    private let categoryDraw: WeightedRows
    private let cityDraw: WeightedRows
    private let authorDraw: WeightedRows

    init(_ configuration: WorldConfiguration) {
        self.configuration = configuration
        var random = SeededGenerator(seed: configuration.seed, stream: 0)
        func vectors(_ count: Int) -> [[Double]] {
            (0..<count).map { _ in Self.unit(random.normalVector(World.dimensions)) }
        }
        func zipf(_ count: Int) -> WeightedRows { WeightedRows((1...count).map { 1 / Double($0) }) }
        categories = vectors(Words.categories.count)
        cities = vectors(Words.cities.count)
        ages = vectors(Words.ages.count)
        categoryDraw = WeightedRows((0..<categories.count).map { 1 / (Double($0) + 4) })
        cityDraw = zipf(cities.count)
        let authorCount = max(1, configuration.items / Self.itemsPerAuthor)
        let categoryDraw = categoryDraw
        authors = (0..<authorCount).map { _ in
            (categoryDraw.draw(using: &random), Self.unit(random.normalVector(World.dimensions)))
        }
        authorDraw = WeightedRows((0..<authorCount).map { 1 / (Double($0) + 20) })
    }

    func user(_ random: inout SeededGenerator) -> World.User {
        var favourites: [Int] = []
        let count = 1 + random.index(below: 4)
        while favourites.count < count {
            let category = categoryDraw.draw(using: &random)
            if !favourites.contains(category) { favourites.append(category) }
        }
        return World.User(
            city: cityDraw.draw(using: &random), age: random.index(below: ages.count),
            device: random.index(below: Words.devices.count), favourites: favourites,
            activity: PortableMath.exp(0.9 * random.portableNormal()), eagerness: 0.4 * random.portableNormal())
    }

    /// `[dimensions]`, unit length: favourite categories first, then what his city and age have in common.
    func taste(of user: World.User, _ random: inout SeededGenerator) -> [Double] {
        var taste = random.normalVector(World.dimensions).map { $0 * 0.08 }
        for (place, category) in user.favourites.enumerated() {
            Self.add(categories[category], times: 1 / Double(place + 1), to: &taste)
        }
        Self.add(cities[user.city], times: 0.45, to: &taste)
        Self.add(ages[user.age], times: 0.35, to: &taste)
        return Self.unit(taste)
    }

    /// All items, in order of publication.
    func items(_ random: inout SeededGenerator) -> [World.Item] {
        let start = configuration.startMilliseconds
        let span = Double(configuration.endMilliseconds - start)
        let archived = configuration.items - Int(Double(configuration.items) * Self.newShare)
        var times = (0..<configuration.items).map { index in
            index < archived
                ? start - Int64(random.uniformDouble() * Self.archiveDays * 86_400_000)
                : start + Int64(random.uniformDouble() * span)
        }
        times.sort()
        return times.map { time in
            let author = authorDraw.draw(using: &random)
            let isAtHome = random.chance(0.8)
            let quality = 0.6 * random.portableNormal()
            return World.Item(
                category: isAtHome ? authors[author].home : categoryDraw.draw(using: &random), author: author,
                publishMilliseconds: time,
                durationSeconds: (45 * PortableMath.exp(0.8 * random.portableNormal())).rounded(),
                quality: quality, popularity: PortableMath.exp(0.8 * quality + 1.1 * random.portableNormal()), city: 0,
                latitude: 0,
                longitude: 0, rating: 0)
        }
    }

    /// Gives every item its place and its rating.
    func settle(_ items: inout [World.Item], _ random: inout SeededGenerator) {
        let centres = cities.indices.map { _ in
            (latitude: 36 + 20 * random.uniformDouble(), longitude: -8 + 30 * random.uniformDouble())
        }
        let homes = authors.indices.map { _ in cityDraw.draw(using: &random) }
        for row in items.indices {
            let city = homes[items[row].author]
            items[row].city = city
            items[row].latitude = centres[city].latitude + 0.03 * random.portableNormal()
            items[row].longitude = centres[city].longitude + 0.04 * random.portableNormal()
            items[row].rating = PortableMath.logistic(2 * items[row].quality + 0.7 * random.portableNormal())
        }
    }

    /// `[dimensions]`, unit length: the category, the author's manner, and something of its own.
    func nature(of item: World.Item, _ random: inout SeededGenerator) -> [Double] {
        var nature = random.normalVector(World.dimensions).map { $0 * 0.07 }
        Self.add(categories[item.category], times: 1, to: &nature)
        Self.add(authors[item.author].offset, times: 0.5, to: &nature)
        return Self.unit(nature)
    }

    private static func add(_ vector: [Double], times factor: Double, to sum: inout [Double]) {
        for dimension in sum.indices { sum[dimension] += factor * vector[dimension] }
    }

    private static func unit(_ vector: [Double]) -> [Double] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? vector.map { $0 / length } : vector
    }
}
