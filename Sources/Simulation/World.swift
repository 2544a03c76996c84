import Kernels

/// A generated world: users with hidden tastes, and items that suit some of them.
///
/// Users and items are rows; the data set that ``World/log(progress:)`` makes has them in the same order. Everything
/// here is the truth behind the log, which no model sees and tests may ask.
public struct World: Sendable {
    /// Size of the space in which tastes and items lie.
    static let dimensions = 16

    struct User: Sendable {
        var city: Int
        var age: Int
        var device: Int
        /// The categories he likes best, best first.
        var favourites: [Int]
        /// How often he visits, relative to others.
        var activity: Double
        /// How readily he clicks on anything, in log-odds.
        var eagerness: Double
    }

    struct Item: Sendable {
        var category: Int
        var author: Int
        var publishMilliseconds: Int64
        var durationSeconds: Double
        /// Attraction to everyone, in log-odds of a click.
        var quality: Double
        /// How often the logging policy picks it, relative to others.
        var popularity: Double
        /// Where it was made: in the author's city, give or take a few kilometres. Tastes do not depend on it.
        var city: Int
        var latitude: Double
        var longitude: Double
        /// What an editor thinks of it, 0...1: the quality, seen through a haze.
        var rating: Double
    }

    public let configuration: WorldConfiguration
    let users: [User]
    /// In order of publication.
    let items: [Item]
    /// `[users, dimensions]`, unit length.
    private let tastes: [Double]
    /// `[items, dimensions]`, unit length.
    private let natures: [Double]

    public init(_ configuration: WorldConfiguration) {
        self.configuration = configuration
        let space = TasteSpace(configuration)
        var random = SeededGenerator(seed: configuration.seed, stream: 1)
        var users: [User] = []
        var tastes: [Double] = []
        for _ in 0..<configuration.users {
            let user = space.user(&random)
            users.append(user)
            tastes += space.taste(of: user, &random)
        }
        random = SeededGenerator(seed: configuration.seed, stream: 2)
        var items = space.items(&random)
        random = SeededGenerator(seed: configuration.seed, stream: 5)
        space.settle(&items, &random)
        self.users = users
        self.tastes = tastes
        self.items = items
        natures = items.flatMap { space.nature(of: $0, &random) }
    }

    /// How well the item suits the user: the cosine of taste and nature, -1...1.
    public func match(user: Int, item: Int) -> Double {
        tastes.withUnsafeBufferPointer { tastes in
            natures.withUnsafeBufferPointer { natures in
                var sum = 0.0
                for dimension in 0..<Self.dimensions {
                    sum += tastes[user * Self.dimensions + dimension] * natures[item * Self.dimensions + dimension]
                }
                return sum
            }
        }
    }

    /// The probability that the user clicks on the item when it is shown to him.
    ///
    /// - Parameters:
    ///   - position: place on the page, from 1; lower places are seen less.
    ///   - timeMilliseconds: when it is shown; new items attract a little more.
    public func clickProbability(user: Int, item: Int, position: Int = 1, timeMilliseconds: Int64) -> Double {
        let age = max(0, Double(timeMilliseconds - items[item].publishMilliseconds) / 86_400_000)
        let freshness = 0.4 * PortableMath.exp(-age / 3)
        let bias = -0.3 * PortableMath.log(Double(position))
        let attraction = 3.6 * match(user: user, item: item) + items[item].quality + users[user].eagerness
        return PortableMath.logistic(attraction + freshness + bias - 3.2)
    }
}
