public import Catalog
import Kernels

/// Numeric inputs of the user towers, scaled by fixed numbers to be of order 1.
public enum UserFeature: String, CaseIterable, Codable, Sendable {
    /// Smoothed click rate, as a deviation of log-odds from the common rate.
    case clickLogOdds = "click_log_odds"
    case impressions = "impressions"
    case clicks = "clicks"
    /// Seconds watched per impression.
    case watch = "watch"
    /// Share of the pooled last-n that is filled.
    case history = "history"
}

/// Inputs of the user towers for n moments of users: one in serving, a chunk of the log in training.
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
    /// `[n + 1]`, into ``recent``.
    public private(set) var recentOffsets: [Int] = [0]
    /// Catalogue rows of the clicked last-n, newest first.
    public private(set) var recent: [UInt32] = []
    /// `[n, UserFeature.allCases.count]`.
    public private(set) var numeric: [Float] = []

    public init() {}

    public var count: Int { users.count }

    public mutating func removeAll() {
        users.removeAll(keepingCapacity: true)
        profile.removeAll(keepingCapacity: true)
        surfaces.removeAll(keepingCapacity: true)
        hours.removeAll(keepingCapacity: true)
        weekdays.removeAll(keepingCapacity: true)
        recentOffsets.removeAll(keepingCapacity: true)
        recentOffsets.append(0)
        recent.removeAll(keepingCapacity: true)
        numeric.removeAll(keepingCapacity: true)
    }

    /// Appends one moment of one user.
    ///
    /// A profile of another length than the data set's is cut or filled with unknown; values out of range are unknown.
    ///
    /// - Complexity: O(fields + last-n).
    public mutating func append(_ state: UserState, _ scene: Scene, encoder: FeatureEncoder) {
        users.append(encoder.userIndex.row(of: state.user).map { UInt32($0 + 1) } ?? 0)
        for (field, size) in encoder.profileSizes.enumerated() {
            let value = field < state.profile.count ? state.profile[field] : 0
            profile.append(value < size ? value : 0)
        }
        surfaces.append(UInt32(scene.surface))
        hours.append(UInt32(Clock.hour(scene.timeMilliseconds)))
        weekdays.append(UInt32(Clock.weekday(scene.timeMilliseconds)))
        var pooled = 0
        for touch in state.recent.reversed() where pooled < encoder.recentItems {
            guard touch.actions.contains(.click), let row = encoder.itemIndex.row(of: touch.item) else { continue }
            recent.append(UInt32(row))
            pooled += 1
        }
        recentOffsets.append(recent.count)
        for feature in UserFeature.allCases { numeric.append(value(feature, state, pooled, encoder)) }
    }

    private func value(_ feature: UserFeature, _ state: UserState, _ pooled: Int, _ encoder: FeatureEncoder) -> Float {
        switch feature {
        case .clickLogOdds:
            encoder.priors.user.deviation(
                ActivityCounts(impressions: state.impressions, clicks: state.clicks, watchSeconds: 0))
        case .impressions: logPlusOne(state.impressions) / 6
        case .clicks: logPlusOne(state.clicks) / 6
        case .watch: logPlusOne(state.watchSeconds / max(state.impressions, 1)) / 5
        case .history: Float(pooled) / Float(max(encoder.recentItems, 1))
        }
    }
}
