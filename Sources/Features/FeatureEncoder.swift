public import Catalog
import Kernels

/// What the features of a model were fitted with; travels with the model.
public struct FeatureDescription: Codable, Hashable, Sendable {
    public var priors: RatePriors
    /// Values per profile field of the data set, the unknown one included.
    public var profileSizes: [Int]
    public var surfaceCount: Int

    public init(priors: RatePriors, profileSizes: [Int], surfaceCount: Int) {
        self.priors = priors
        self.profileSizes = profileSizes
        self.surfaceCount = surfaceCount
    }
}

/// Lists of a user's recent touches that only some models read.
public struct UserLists: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Liked, collected or shared items.
    public static let likedItems = UserLists(rawValue: 1 << 0)
    /// Authors of the clicked items.
    public static let recentAuthors = UserLists(rawValue: 1 << 1)
    /// Tags of the clicked items.
    public static let recentTags = UserLists(rawValue: 1 << 2)
}

/// The one definition of features, used by training and serving alike: what a state, a scene and an item become.
public struct FeatureEncoder: Sendable {
    public let columns: ItemFeatureColumns
    public let itemIndex: KeyIndex
    public let userIndex: KeyIndex
    public let description: FeatureDescription
    /// Newest clicked items that the user towers pool, at most `UserState.recentMax`.
    public let recentItems: Int
    /// Lists that are made; the others stay empty.
    public let lists: UserLists

    public init(
        columns: ItemFeatureColumns, itemIndex: KeyIndex, userIndex: KeyIndex, description: FeatureDescription,
        recentItems: Int, lists: UserLists = []
    ) {
        self.lists = lists
        self.columns = columns
        self.itemIndex = itemIndex
        self.userIndex = userIndex
        self.description = description
        self.recentItems = recentItems
    }

    /// Time since publication as a feature: log(1 + days) / 6; an unknown time counts as three weeks.
    public static func age(published: Int64, now: Int64) -> Float {
        var age = days(published, now)
        withUnsafeMutablePointer(to: &age) { kernels.logPlusOne($0, $0, count: 1) }
        return age / 6
    }

    /// The ages of many items, each as ``age(published:now:)``.
    ///
    /// - Parameter ages: replaced.
    public static func ages(published: [Int64], now: Int64, into ages: inout [Float]) {
        ages.removeAll(keepingCapacity: true)
        for time in published { ages.append(days(time, now)) }
        ages.withUnsafeMutableBufferPointer { ages in
            guard let base = ages.baseAddress else { return }
            kernels.logPlusOne(base, base, count: ages.count)
            for index in ages.indices { base[index] /= 6 }
        }
    }

    private static func days(_ published: Int64, _ now: Int64) -> Float {
        published > 0 ? Clock.hours(from: published, to: now) / 24 : 21
    }
}
