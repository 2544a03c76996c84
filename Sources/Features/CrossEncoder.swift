public import Catalog
import Kernels

/// Computes cross features for one user and scene against any number of candidates.
///
/// A workspace: begin a request with ``begin(_:_:encoder:statistics:)``, then encode candidates. One thread at a time.
public struct CrossEncoder: Sendable {
    /// Trials' worth of belief in the common rate for affinities.
    private static let affinityStrength: Float = 4
    private var categories = RecentCounts()
    private var authors = RecentCounts()
    private var items = RecentCounts()
    private var recentClicks: Float = 0
    private var lastCategory: UInt32 = 0
    private var meanLogDuration: Float = 0
    private var userLogOdds: Float = 0
    private var surfaceLogOdds: Float = 0
    private var milliseconds: Int64 = 0
    private var priorClicks: Float = 0
    private var priorOthers: Float = 0

    public init() {}

    /// Takes in the user and the scene.
    ///
    /// - Complexity: O(last-n), no allocation.
    public mutating func begin(
        _ state: UserState, _ scene: Scene, encoder: FeatureEncoder, surface counts: ActivityCounts
    ) {
        categories.removeAll()
        authors.removeAll()
        items.removeAll()
        recentClicks = 0
        lastCategory = 0
        milliseconds = scene.asOf
        let priors = encoder.description.priors
        userLogOdds = priors.user.deviation(
            ActivityCounts(impressions: state.impressions, clicks: state.clicks, watchSeconds: 0))
        surfaceLogOdds = priors.surface.deviation(counts)
        priorClicks = Self.affinityStrength * Float(priors.user.mean)
        priorOthers = Self.affinityStrength - priorClicks
        var durationSum: Float = 0
        var durations: Float = 0
        for touch in state.recent {
            guard let row = encoder.itemIndex.row(of: touch.item) else { continue }
            let isClick = touch.actions.contains(.click)
            let category = encoder.columns.categories[row]
            let time = touch.timeMilliseconds
            if category != 0 { categories.add(category, isClick: isClick, milliseconds: time) }
            let author = encoder.columns.authors[row]
            if author != 0 { authors.add(author, isClick: isClick, milliseconds: time) }
            items.add(UInt32(row), isClick: isClick, milliseconds: time)
            guard isClick else { continue }
            recentClicks += 1
            lastCategory = category
            let duration = encoder.columns.logDurations[row]
            durationSum += duration
            durations += duration > 0 ? 1 : 0
        }
        meanLogDuration = durations > 0 ? durationSum / durations : 0
        complete()
    }

    /// Works out what the touches say of each category, author and item: once, whatever the candidates.
    private mutating func complete() {
        let (priorClicks, priorOthers, now) = (priorClicks, priorOthers, milliseconds)
        let common = logRatio(priorClicks, priorOthers)
        func derive(_ entry: inout RecentCounts.Entry) {
            entry.logClicks = logPlusOne(entry.clicks)
            entry.logTouches = logPlusOne(entry.clicks + entry.others)
            // Log-odds of a click among the touches of one thing, less those of the common rate.
            entry.affinity = logRatio(entry.clicks + priorClicks, entry.others + priorOthers) - common
            // 1 just after a click, a half a day later, 0 without one.
            entry.recency =
                entry.clicks > 0 ? 1 / (1 + Clock.hours(from: entry.lastClickMilliseconds, to: now) / 24) : 0
        }
        categories.complete(derive)
        authors.complete(derive)
        items.complete(derive)
    }

    /// Writes the chosen features of one candidate.
    ///
    /// - Parameters:
    ///   - row: Catalogue row of the candidate.
    ///   - output: `[features.count]`, overwritten.
    /// - Complexity: O(features), no allocation.
    public func encode(
        row: Int, signals: ItemSignals, columns: ItemFeatureColumns, features: [CrossFeature],
        into output: UnsafeMutableBufferPointer<Float>
    ) {
        let candidate = Candidate(
            category: categories[columns.categories[row]], author: authors[columns.authors[row]],
            item: items[UInt32(row)], categoryIndex: columns.categories[row], logDuration: columns.logDurations[row],
            age: FeatureEncoder.age(published: columns.publishTimes[row], now: milliseconds), signals: signals)
        for index in features.indices { output[index] = value(features[index], candidate) }
    }

    /// The same for a candidate whose features are at hand.
    ///
    /// - Parameters:
    ///   - row: nil for an item that the catalogue does not have, and so the user has not met.
    ///   - age: of ``FeatureEncoder/ages(published:now:into:)``.
    public func encode(
        row: Int?, _ item: ItemFeatures, age: Float, signals: ItemSignals, features: [CrossFeature],
        into output: UnsafeMutableBufferPointer<Float>
    ) {
        var candidate = candidate(row: row, item)
        candidate.age = age
        candidate.signals = signals
        for index in features.indices { output[index] = value(features[index], candidate) }
    }

    /// A candidate, for features that need neither statistics nor its age.
    ///
    /// - Parameter row: nil for an item that the catalogue does not have.
    func candidate(row: Int?, _ item: ItemFeatures) -> Candidate {
        Candidate(
            category: categories[item.category], author: authors[item.author],
            item: row.map { items[UInt32($0)] } ?? items.absent, categoryIndex: item.category,
            logDuration: item.logDuration, age: 0, signals: .none)
    }

    /// One feature of every candidate.
    func values(_ feature: CrossFeature, of candidates: [Candidate], into values: UnsafeMutableBufferPointer<Float>) {
        for index in candidates.indices { values[index] = value(feature, candidates[index]) }
    }

    /// What is read of a candidate.
    struct Candidate: Sendable {
        var category: RecentCounts.Entry
        var author: RecentCounts.Entry
        var item: RecentCounts.Entry
        var categoryIndex: UInt32
        var logDuration: Float
        var age: Float
        var signals: ItemSignals
    }

    @inline(__always)
    private func value(_ feature: CrossFeature, _ candidate: Candidate) -> Float {
        switch feature {
        case .itemLogOdds: candidate.signals.itemLogOdds
        case .userLogOdds: userLogOdds
        case .surfaceLogOdds: surfaceLogOdds
        case .categoryLogOdds: candidate.signals.categoryLogOdds
        case .authorLogOdds: candidate.signals.authorLogOdds
        case .itemImpressions: candidate.signals.logImpressions / 8
        case .itemWatch: candidate.signals.logWatch / 4
        case .itemAge: candidate.age
        case .itemDuration: candidate.logDuration / 5
        case .categoryClicks: candidate.category.logClicks / 3
        case .categoryShare: recentClicks > 0 ? candidate.category.clicks / recentClicks : 0
        case .categoryAffinity: candidate.category.affinity
        case .categoryRecency: candidate.category.recency
        case .authorClicks: candidate.author.logClicks
        case .authorAffinity: candidate.author.affinity
        case .seen: candidate.item.logTouches
        case .clickedBefore: candidate.item.clicks > 0 ? 1 : 0
        case .lastCategory: candidate.categoryIndex != 0 && candidate.categoryIndex == lastCategory ? 1 : 0
        case .durationGap: durationGap(candidate.logDuration)
        }
    }

    private func durationGap(_ logDuration: Float) -> Float {
        logDuration > 0 && meanLogDuration > 0 ? abs(logDuration - meanLogDuration) : 0
    }
}
