public import Catalog
import Kernels

/// Goes through a log in order and computes, for each showing, the features as they stood before it.
///
/// Showings of one millisecond do not see each other: a row's features come from rows with an earlier time only.
/// User states change through `UserState.record`, as they do in serving. Statistics count the rows that are trials
/// (``ExposureTable/isTrial(_:)``). A row without any action bit, a sampled negative, leaves the user's state alone.
public struct Replay: Sendable {
    /// What a row changes once it is in the past.
    public struct Updates: OptionSet, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        public static let users = Updates(rawValue: 1 << 0)
        public static let statistics = Updates(rawValue: 1 << 1)
        public static let all: Updates = [.users, .statistics]
    }

    /// How much of a user an example shows.
    public enum Presentation: Sendable {
        /// All that is known of him.
        case known
        /// His profile, but no id and no history: someone who has just signed up.
        case newcomer
        /// Nothing.
        case stranger
    }

    public let encoder: FeatureEncoder
    /// `[U]`, user table order.
    public private(set) var states: [UserState]
    public private(set) var statistics: ActivityStatistics
    /// What a ranking model reads of statistics; nil without one.
    public private(set) var ranking: RankingStatistics?
    let exposures: ExposureTable
    /// Key of no user in the table.
    private let stranger: UserKey
    /// Rows before this one are taken in.
    private var applied = 0
    private var workspace = CrossEncoder()

    /// Starts before the first row: profiles known, histories empty.
    ///
    /// - Parameter ranking: nothing counted yet; nil when no ranking model is fed.
    public init(dataset: Dataset, encoder: FeatureEncoder, ranking: RankingStatistics? = nil) {
        self.encoder = encoder
        self.ranking = ranking
        exposures = dataset.exposures
        // No table holds a user after the last: keys ascend.
        stranger = UserKey(rawValue: (dataset.users.keys.last?.rawValue ?? 0) &+ 1)
        statistics = ActivityStatistics(columns: encoder.columns, surfaceCount: exposures.surfaceNames.count)
        states = dataset.users.keys.indices.map { row in
            UserState(
                user: dataset.users.keys[row], isKnown: true, profile: dataset.users.fields.map { $0.values[row] })
        }
    }

    /// Goes on from users as they are, with a log of what came after.
    ///
    /// - Parameter states: `[U]`, in the order of the rows that the log's users refer to, ascending by key.
    public init(exposures: ExposureTable, states: [UserState], encoder: FeatureEncoder) {
        self.encoder = encoder
        self.exposures = exposures
        self.states = states
        stranger = UserKey(rawValue: (states.last?.user.rawValue ?? 0) &+ 1)
        statistics = ActivityStatistics(columns: encoder.columns, surfaceCount: exposures.surfaceNames.count)
    }

    /// Takes in all rows before `row` without making examples.
    public mutating func advance(to row: Int, updates: Updates = .all) {
        while applied < row {
            apply(applied, updates)
            applied += 1
        }
    }

    /// The examples of `rows`, which lie at or after everything taken in so far.
    ///
    /// - Parameters:
    ///   - crossFeatures: What to write into ``ExampleTable/cross``; none skips that work.
    ///   - updates: What rows change as they pass. None freezes the features at the first row, as if the rest of the log
    ///     were not known.
    ///   - presentation: How much is shown of an example's user: what a model learns of new users. Asked once for each
    ///     example, in order.
    ///   - isIncluded: Rows to make examples of; the others only pass.
    /// - Complexity: O(last-n + features) a row.
    public mutating func examples(
        _ rows: Range<Int>, crossFeatures: [CrossFeature], updates: Updates = .all,
        presentation: () -> Presentation = { .known }, where isIncluded: (Int) -> Bool = { _ in true }
    ) -> ExampleTable {
        var table = ExampleTable()
        visit(rows, updates: updates, where: isIncluded) { replay, row in
            replay.append(row, crossFeatures, presentation(), to: &table)
        }
        return table
    }

    /// Goes over `rows`, with everything as it stood before each.
    mutating func visit(
        _ rows: Range<Int>, updates: Updates, where isIncluded: (Int) -> Bool, _ body: (inout Replay, Int) -> Void
    ) {
        precondition(rows.lowerBound >= applied, "a log is replayed forwards")
        for row in rows {
            if !updates.isEmpty { applyEarlier(than: row, updates) }
            if isIncluded(row) { body(&self, row) }
        }
    }

    private mutating func applyEarlier(than row: Int, _ updates: Updates) {
        while applied < row, exposures.times[applied] < exposures.times[row] {
            apply(applied, updates)
            applied += 1
        }
    }

    private mutating func apply(_ row: Int, _ updates: Updates) {
        let actions = Actions(rawValue: exposures.actions[row])
        let item = Int(exposures.items[row])
        if updates.contains(.statistics), exposures.isTrial(row) {
            statistics.add(
                item: item, surface: Int(exposures.surfaces[row]),
                outcome: Outcome(actions: actions, watchSeconds: exposures.watchSeconds[row]),
                columns: encoder.columns)
            recordForRanking(row, actions, item)
        }
        guard updates.contains(.users), !actions.isEmpty else { return }
        states[Int(exposures.users[row])].record(
            Interaction(
                item: encoder.columns.keys[item], timeMilliseconds: exposures.times[row], actions: actions,
                watchSeconds: exposures.watchSeconds[row]))
    }

    private mutating func recordForRanking(_ row: Int, _ actions: Actions, _ item: Int) {
        let user = Int(exposures.users[row])
        ranking?.record(
            StatisticsEvent(
                item: item, surface: exposures.surfaces[row], profile: states[user].profile,
                timeMilliseconds: exposures.times[row], actions: actions.union(.impression),
                watchSeconds: exposures.watchSeconds[row]))
    }

    func presented(_ user: Int, _ presentation: Presentation) -> UserState {
        switch presentation {
        case .known: states[user]
        case .newcomer: UserState(user: stranger, isKnown: true, profile: states[user].profile)
        case .stranger: UserState(user: stranger, isKnown: false, profile: [])
        }
    }

    private mutating func append(
        _ row: Int, _ features: [CrossFeature], _ presentation: Presentation, to table: inout ExampleTable
    ) {
        let state = presented(Int(exposures.users[row]), presentation)
        let item = Int(exposures.items[row])
        let scene = exposures.scene(of: row)
        table.users.append(state, scene, encoder: encoder)
        table.items.append(exposures.items[row])
        table.itemAges.append(
            FeatureEncoder.age(published: encoder.columns.publishTimes[item], now: scene.timeMilliseconds))
        table.outcomes.append(
            Outcome(actions: Actions(rawValue: exposures.actions[row]), watchSeconds: exposures.watchSeconds[row]))
        table.rows.append(UInt32(row))
        guard !features.isEmpty else { return }
        workspace.begin(state, scene, encoder: encoder, surface: statistics.surface(scene.surface))
        let signals = ItemSignals(
            row: item, statistics: statistics, columns: encoder.columns, priors: encoder.description.priors)
        let start = table.cross.count
        table.cross.append(contentsOf: repeatElement(0, count: features.count))
        table.cross.withUnsafeMutableBufferPointer { cross in
            workspace.encode(
                row: item, signals: signals, columns: encoder.columns, features: features,
                into: UnsafeMutableBufferPointer(rebasing: cross[start...]))
        }
    }
}
