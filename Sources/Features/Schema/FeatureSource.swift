/// Where a feature's value comes from, as a schema writes it.
public enum FeatureSource: Hashable, Sendable {
    /// `user.id`.
    case userID
    /// `user.profile.NAME`: a profile field of the data set; `user.profile.*` is every field.
    case profile(String)
    /// `user.impressions`, `user.clicks`, `user.click_rate` ...
    case user(Statistic)
    /// `item.id`, `item.category` ...
    case item(ItemColumn)
    /// `item.clicks`, `author.click_rate` ...
    case statistic(StatisticsOwner, Statistic)
    /// `author.items`: items of the candidate's author in the catalogue.
    case authorItems
    /// `scene.surface` ...
    case scene(SceneColumn)
    /// `scene.context.NAME`: a context field of the data set; `scene.context.*` is every field.
    case context(String)
    /// `cross.category_affinity` ...: what the user's recent touches say of the candidate.
    case cross(CrossFeature)
    /// `cross.hash`: categorical features together.
    case combination

    public enum ItemColumn: String, CaseIterable, Hashable, Sendable {
        case id, category, author, city, tags, geohash, duration, age, quality, price
    }

    public enum SceneColumn: String, CaseIterable, Hashable, Sendable {
        case surface, hour, weekday, holiday
    }

    /// What kind of value it is before any transform.
    public enum Kind: Hashable, Sendable {
        case categorical, multivalued, number
    }

    /// nil for what is no source.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let rest = parts[1]
        let found: FeatureSource? =
            switch parts[0] {
            case "user": Self.user(rest)
            case "item": ItemColumn(rawValue: String(rest)).map(Self.item) ?? Self.statistic(.item, rest)
            case "author" where rest == "items": .authorItems
            case "author", "category", "surface":
                StatisticsOwner(rawValue: String(parts[0])).flatMap { Self.statistic($0, rest) }
            case "scene" where rest.hasPrefix("context.") && rest.count > "context.".count:
                .context(String(rest.dropFirst("context.".count)))
            case "scene": SceneColumn(rawValue: String(rest)).map(Self.scene)
            case "cross" where rest == "hash": .combination
            case "cross":
                CrossFeature(rawValue: String(rest)).flatMap { Self.crosses.contains($0) ? .cross($0) : nil }
            default: nil
            }
        guard let found else { return nil }
        self = found
    }

    private static func user(_ rest: Substring) -> FeatureSource? {
        if rest == "id" { return .userID }
        if rest.hasPrefix("profile."), rest.count > "profile.".count {
            return .profile(String(rest.dropFirst("profile.".count)))
        }
        return Statistic(name: rest).flatMap { userStatistics.contains($0) ? .user($0) : nil }
    }

    private static func statistic(_ owner: StatisticsOwner, _ rest: Substring) -> FeatureSource? {
        Statistic(name: rest).map { .statistic(owner, $0) }
    }

    /// Crosses of a candidate with the recent touches; what statistics say of it are features by themselves.
    static let crosses: [CrossFeature] = [
        .categoryClicks, .categoryShare, .categoryAffinity, .categoryRecency, .authorClicks, .authorAffinity, .seen,
        .clickedBefore, .lastCategory, .durationGap,
    ]

    /// A user's impressions and click rate are of all time; the rest is counted among the recent touches.
    static let userStatistics: [Statistic] =
        Counter.allCases.filter { $0 != .hides }.map(Statistic.count) + [.rate(.clicks)]

    public var kind: Kind {
        switch self {
        case .userID, .profile, .scene, .context, .combination: .categorical
        case .user, .statistic, .authorItems, .cross: .number
        case .item(.tags): .multivalued
        case .item(.duration), .item(.age), .item(.quality), .item(.price): .number
        case .item: .categorical
        }
    }

    /// Whether it is the same for all candidates of a request, when it is not split.
    var isOfUser: Bool {
        switch self {
        case .userID, .profile, .user, .scene, .context, .statistic(.surface, _): true
        default: false
        }
    }

    /// The embedding table that sources of the same things share; nil when the feature has its own.
    var table: String? {
        switch self {
        case .userID: "user"
        case .profile(let name): "profile.\(name)"
        case .item(.id): "item"
        case .item(.tags): "tag"
        case .item(let column) where [.category, .author, .city].contains(column): column.rawValue
        case .scene(let column): column.rawValue
        case .context(let name): "context.\(name)"
        default: nil
        }
    }

    /// All there are, for messages.
    static var help: String {
        let user = ["id", "profile.NAME"] + userStatistics.map(\.name)
        return
            "user.{\(user.joined(separator: ","))}, item.{\(ItemColumn.allCases.map(\.rawValue).joined(separator: ","))}, "
            + "{item,author,category,surface}.{\(Statistic.allNames.joined(separator: ","))}, author.items, "
            + "scene.{\(SceneColumn.allCases.map(\.rawValue).joined(separator: ",")),context.NAME}, "
            + "cross.{hash,\(crosses.map(\.rawValue).joined(separator: ","))}"
    }
}
