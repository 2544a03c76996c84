public import Catalog
import Kernels
public import Networks

/// Numeric inputs of the user towers, scaled by fixed numbers to be of order 1.
public enum UserFeature: String, NamedChoice {
    /// Smoothed click rate, as a deviation of log-odds from the common rate.
    case clickLogOdds = "click_log_odds"
    case impressions = "impressions"
    case clicks = "clicks"
    /// Seconds watched per impression.
    case watch = "watch"
    /// Share of the pooled last-n that is filled.
    case history = "history"
}

/// Inputs of the user towers for n moments of users: one in serving, a batch or a stretch of the log in training.
///
/// Indices are rows of embedding tables. Users and items take row + 1: row 0 is what the model has never seen.
public struct UserInputs: Sendable {
    /// `[n]`, 1 + row of the user table; 0 is a user it does not hold.
    public private(set) var users: [UInt32] = []
    /// `[n, fields]`.
    public private(set) var profile: [UInt32] = []
    /// `[n]`.
    public private(set) var surfaces: [UInt32] = []
    /// `[n]`, hour of the day in UTC.
    public private(set) var hours: [UInt32] = []
    /// `[n]`, day of the week in UTC, Sunday 0.
    public private(set) var weekdays: [UInt32] = []
    /// `[n]` lists of the clicked last-n, newest first: 1 + catalogue row.
    public private(set) var recentItems = RaggedRows()
    /// Their categories.
    public private(set) var recentCategories = RaggedRows()
    /// Their authors and their tags, and the items of the last-n that were liked, collected or shared: empty lists when the
    /// encoder does not make them.
    public private(set) var recentAuthors = RaggedRows()
    public private(set) var recentTags = RaggedRows()
    public private(set) var likedItems = RaggedRows()
    /// `[n]`, ``Buckets`` of impressions.
    public private(set) var activities: [UInt32] = []
    /// `[n, UserFeature.allCases.count]`.
    public private(set) var numeric: [Float] = []

    public init() {}

    /// Inputs made elsewhere, as they are: for tests against stored numbers.
    package init(
        users: [UInt32], profile: [UInt32], surfaces: [UInt32], hours: [UInt32], weekdays: [UInt32],
        recentItems: RaggedRows, recentCategories: RaggedRows, numeric: [Float], recentAuthors: RaggedRows? = nil,
        recentTags: RaggedRows? = nil, likedItems: RaggedRows? = nil, activities: [UInt32]? = nil
    ) {
        let none = RaggedRows(rows: [], offsets: Array(repeating: 0, count: users.count + 1))
        self.recentAuthors = recentAuthors ?? none
        self.recentTags = recentTags ?? none
        self.likedItems = likedItems ?? none
        self.activities = activities ?? Array(repeating: 0, count: users.count)
        self.users = users
        self.profile = profile
        self.surfaces = surfaces
        self.hours = hours
        self.weekdays = weekdays
        self.recentItems = recentItems
        self.recentCategories = recentCategories
        self.numeric = numeric
    }

    public var count: Int { users.count }

    /// Keeps the memory.
    public mutating func removeAll() {
        users.removeAll(keepingCapacity: true)
        profile.removeAll(keepingCapacity: true)
        surfaces.removeAll(keepingCapacity: true)
        hours.removeAll(keepingCapacity: true)
        weekdays.removeAll(keepingCapacity: true)
        recentItems.removeAll()
        recentCategories.removeAll()
        recentAuthors.removeAll()
        recentTags.removeAll()
        likedItems.removeAll()
        activities.removeAll(keepingCapacity: true)
        numeric.removeAll(keepingCapacity: true)
    }

    /// Appends one moment of one user.
    ///
    /// A profile of another length than the data set's is cut or filled with unknown; values out of range are unknown.
    ///
    /// - Complexity: O(fields + last-n).
    public mutating func append(_ state: UserState, _ scene: Scene, encoder: FeatureEncoder) {
        users.append(encoder.userIndex.row(of: state.user).map { UInt32($0 + 1) } ?? 0)
        for (field, size) in encoder.description.profileSizes.enumerated() {
            let value = field < state.profile.count ? state.profile[field] : 0
            profile.append(value < size ? value : 0)
        }
        surfaces.append(Int(scene.surface) < encoder.description.surfaceCount ? UInt32(scene.surface) : 0)
        hours.append(UInt32(Clock.hour(scene.timeMilliseconds)))
        weekdays.append(UInt32(Clock.weekday(scene.timeMilliseconds)))
        var pooled = 0
        for touch in state.recent.reversed() where pooled < encoder.recentItems {
            guard touch.actions.contains(.click), let row = encoder.itemIndex.row(of: touch.item) else { continue }
            recentItems.rows.append(UInt32(row + 1))
            recentCategories.rows.append(encoder.columns.categories[row])
            if encoder.lists.contains(.recentAuthors) { recentAuthors.rows.append(encoder.columns.authors[row]) }
            if encoder.lists.contains(.recentTags) { recentTags.rows.append(contentsOf: encoder.columns.tags(of: row)) }
            pooled += 1
        }
        if encoder.lists.contains(.likedItems) { appendLiked(state, encoder) }
        recentItems.offsets.append(recentItems.rows.count)
        recentCategories.offsets.append(recentCategories.rows.count)
        recentAuthors.offsets.append(recentAuthors.rows.count)
        recentTags.offsets.append(recentTags.rows.count)
        likedItems.offsets.append(likedItems.rows.count)
        activities.append(Buckets.activity(impressions: state.impressions))
        for feature in UserFeature.allCases { numeric.append(value(feature, state, pooled, encoder)) }
    }

    private mutating func appendLiked(_ state: UserState, _ encoder: FeatureEncoder) {
        let liking: Actions = [.like, .collect, .share]
        var pooled = 0
        for touch in state.recent.reversed() where pooled < encoder.recentItems {
            guard !touch.actions.isDisjoint(with: liking), let row = encoder.itemIndex.row(of: touch.item) else {
                continue
            }
            likedItems.rows.append(UInt32(row + 1))
            pooled += 1
        }
    }

    /// Appends moment `index` of another table, made by the same encoder.
    public mutating func append(_ other: UserInputs, _ index: Int) {
        let fields = other.count > 0 ? other.profile.count / other.count : 0
        let features = UserFeature.allCases.count
        users.append(other.users[index])
        profile.append(contentsOf: other.profile[index * fields..<(index + 1) * fields])
        surfaces.append(other.surfaces[index])
        hours.append(other.hours[index])
        weekdays.append(other.weekdays[index])
        let range = other.recentItems.offsets[index]..<other.recentItems.offsets[index + 1]
        recentItems.append(other.recentItems.rows[range])
        recentCategories.append(other.recentCategories.rows[range])
        recentAuthors.append(other.recentAuthors, index)
        recentTags.append(other.recentTags, index)
        likedItems.append(other.likedItems, index)
        activities.append(other.activities[index])
        numeric.append(contentsOf: other.numeric[index * features..<(index + 1) * features])
    }

    private func value(_ feature: UserFeature, _ state: UserState, _ pooled: Int, _ encoder: FeatureEncoder) -> Float {
        switch feature {
        case .clickLogOdds:
            encoder.description.priors.user.deviation(
                ActivityCounts(impressions: state.impressions, clicks: state.clicks, watchSeconds: 0))
        case .impressions: logPlusOne(state.impressions) / 6
        case .clicks: logPlusOne(state.clicks) / 6
        case .watch: logPlusOne(state.watchSeconds / max(state.impressions, 1)) / 5
        case .history: Float(pooled) / Float(max(encoder.recentItems, 1))
        }
    }
}

extension RaggedRows {
    /// Appends list `index` of another table.
    mutating func append(_ other: RaggedRows, _ index: Int) {
        append(other.rows[other.offsets[index]..<other.offsets[index + 1]])
    }
}
