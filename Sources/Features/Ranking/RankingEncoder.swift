public import Catalog
import Kernels

/// Makes a ranking model's inputs of users, scenes and items: a fitted schema, compiled for a catalogue.
///
/// The one definition of these features, for training and serving. Immutable; ``RankingRequest`` is the workspace.
public struct RankingEncoder: Sendable {
    public let fitted: FittedFeatures
    public let columns: ItemFeatureColumns
    /// What finds users and items, and feeds ``CrossEncoder``.
    let base: FeatureEncoder
    /// Features that are the same for all candidates, and those that are not.
    let userFeatures: [Operation]
    let itemFeatures: [Operation]
    let histories: [History]
    /// By which hours and days are told.
    let clock: LocalClock
    /// Items of each author.
    let authorItems: [Float]
    /// Categorical fields, multi-valued fields, numbers.
    let categoryCount: Int
    let listCount: Int
    let numberCount: Int
    /// For each field its place among fields of its kind.
    let fieldPlaces: [FieldPlace]

    enum FieldPlace: Sendable {
        case category(Int, isOfUser: Bool)
        case list(Int)
        case numbers
    }

    /// How one feature is made.
    struct Operation: Sendable {
        var feature: Int
        var source: FeatureSource
        var output: Output
        /// Place among the standard windows; of counts among the recent touches.
        var window: Int
        var split: String?
        /// Where a statistic is read.
        var reading: Reading?
        var prior: BetaPrior?
        var isLogarithmic: Bool
        /// Buckets of a hash; 0 for none.
        var buckets: UInt64
        /// Categories that are hashed together.
        var parts: [Int]
        var vocabulary: [UInt32]?
        /// Values of the vocabulary.
        var rows: UInt32
        /// Place of a profile or context field.
        var field: Int
    }

    enum Output: Sendable {
        case category(Int)
        case list(Int)
        case number(Int, NumberFit)
        case bucket(Int, NumberFit)
    }

    /// Where a statistic's counters are in ``RankingStatistics``.
    struct Reading: Sendable {
        var part: Int
        var window: Int
        var first: Int
        /// Trials of a rate, or clicks of a watch time.
        var second: Int
    }

    struct History: Sendable {
        var actions: Actions
        var columns: [HistoryDefinition.Column]
        var vocabularies: [[UInt32]?]
        var length: Int
        var ages: Bool
    }

    /// - Parameters:
    ///   - fitted: of this catalogue and these users.
    ///   - statistics: made for the same schema; only its layout is read.
    public init(
        _ fitted: FittedFeatures, columns: ItemFeatureColumns, itemIndex: KeyIndex, userIndex: KeyIndex,
        statistics: RankingStatistics
    ) {
        self.fitted = fitted
        self.columns = columns
        clock = fitted.schema.clock
        base = FeatureEncoder(
            columns: columns, itemIndex: itemIndex, userIndex: userIndex, description: fitted.description,
            recentItems: UserState.recentMax)
        var compiler = FeatureCompiler(fitted, statistics)
        compiler.run()
        userFeatures = compiler.userFeatures
        itemFeatures = compiler.itemFeatures
        (categoryCount, listCount, numberCount) = (compiler.categories, compiler.lists, compiler.numbers)
        fieldPlaces = compiler.fieldPlaces
        histories = fitted.schema.histories.map { history in
            History(
                actions: history.actionSet.reduce(into: Actions()) { $0.formUnion($1.action ?? []) },
                columns: history.columns, vocabularies: history.columns.map { fitted.vocabularies[$0.rawValue] },
                length: history.length, ages: history.ages)
        }
        var items = [Float](repeating: 0, count: columns.authorCount)
        for author in columns.authors { items[Int(author)] += 1 }
        items[0] = 0
        authorItems = items
    }

    public var itemIndex: KeyIndex { base.itemIndex }

    /// Name of a rate's prior.
    static func rateKey(_ owner: StatisticsOwner, _ statistic: Statistic) -> String {
        "\(owner.rawValue).\(statistic.name)"
    }
}

/// Resolves a fitted schema to operations.
private struct FeatureCompiler {
    let fitted: FittedFeatures
    let statistics: RankingStatistics
    var userFeatures: [RankingEncoder.Operation] = []
    var itemFeatures: [RankingEncoder.Operation] = []
    var fieldPlaces: [RankingEncoder.FieldPlace] = []
    var (categories, lists, numbers) = (0, 0, 0)
    /// Places of categorical features, by name.
    private var places: [String: Int] = [:]

    init(_ fitted: FittedFeatures, _ statistics: RankingStatistics) {
        self.fitted = fitted
        self.statistics = statistics
    }

    mutating func run() {
        let features = fitted.schema.features
        // Combinations come after what they combine.
        for index in features.indices where !features[index].isNumber {
            let isOfUser = isOfUser(features[index])
            if features[index].isCategorical {
                places[features[index].name] = categories
                fieldPlaces.append(.category(categories, isOfUser: isOfUser))
                categories += 1
            } else {
                fieldPlaces.append(.list(lists))
                lists += 1
            }
        }
        if features.contains(where: \.isNumber) { fieldPlaces.append(.numbers) }
        let order = features.indices.sorted {
            (features[$0].of == nil ? 0 : 1, $0) < (features[$1].of == nil ? 0 : 1, $1)
        }
        var listPlace = 0
        var numberPlaces: [Int: Int] = [:]
        for index in features.indices where features[index].isNumber { numberPlaces[index] = numberPlaces.count }
        numbers = numberPlaces.count
        for index in order {
            let feature = features[index]
            let fit = fitted.numbers[feature.name] ?? .raw
            let output: RankingEncoder.Output
            if let place = numberPlaces[index] {
                output = .number(place, fit)
            } else if let place = places[feature.name] {
                output = feature.resolvedTransform == .bucketise ? .bucket(place, fit) : .category(place)
            } else {
                output = .list(listPlace)
                listPlace += 1
            }
            let operation = operation(index, feature, output)
            if isOfUser(feature) { userFeatures.append(operation) } else { itemFeatures.append(operation) }
        }
    }

    private func isOfUser(_ feature: FeatureDefinition) -> Bool {
        if let of = feature.of {
            return of.allSatisfy { name in fitted.schema.features.first { $0.name == name }.map(isOfUser) ?? false }
        }
        return feature.parsedSource.isOfUser && feature.split == nil
    }

    private func operation(
        _ index: Int, _ feature: FeatureDefinition, _ output: RankingEncoder.Output
    ) -> RankingEncoder.Operation {
        let source = feature.parsedSource
        var operation = RankingEncoder.Operation(
            feature: index, source: source, output: output,
            window: RecentStatistics.windows.firstIndex(of: feature.window ?? .all) ?? 0, split: feature.split,
            reading: nil, prior: nil, isLogarithmic: feature.resolvedTransform == .log1p,
            buckets: feature.resolvedTransform == .hash ? UInt64(feature.buckets ?? 0) : 0,
            parts: (feature.of ?? []).compactMap { places[$0] },
            vocabulary: feature.resolvedTransform == .vocabulary ? fitted.vocabularies[feature.tableName] : nil,
            rows: UInt32(clamping: fitted.rows[feature.tableName] ?? 0), field: 0)
        switch source {
        case .profile(let name): operation.field = fitted.profile.firstIndex(of: name) ?? fitted.profile.count
        case .context(let name):
            operation.field = fitted.contexts.firstIndex { $0.name == name } ?? fitted.contexts.count
        case .statistic(let owner, let statistic):
            operation.reading = reading(owner, statistic, feature)
            if case .rate = statistic { operation.prior = fitted.rates[RankingEncoder.rateKey(owner, statistic)] }
        case .user(.rate): operation.prior = fitted.description.priors.user
        default: break
        }
        return operation
    }

    private func reading(
        _ owner: StatisticsOwner, _ statistic: Statistic, _ feature: FeatureDefinition
    ) -> RankingEncoder.Reading? {
        guard let part = statistics.part(owner, split: feature.split) else { return nil }
        let table = statistics.parts[part].table
        let place = { (counter: Counter) in table.counters.firstIndex(of: counter) ?? 0 }
        let window = table.windows.firstIndex(of: feature.window ?? .all) ?? 0
        return switch statistic {
        case .count(let counter): .init(part: part, window: window, first: place(counter), second: 0)
        case .rate(let successes):
            .init(
                part: part, window: window, first: place(successes), second: place(Statistic.trials(of: successes)))
        case .watchPerClick: .init(part: part, window: window, first: place(.watchSeconds), second: place(.clicks))
        }
    }

}
