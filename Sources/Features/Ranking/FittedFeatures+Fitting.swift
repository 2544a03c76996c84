public import Catalog
import Kernels

extension FittedFeatures {
    /// Fits a schema to the trials among the rows of a log: priors of rates (``BetaPrior``), vocabularies, scales and intervals
    /// of numbers, and how often each feature has a value.
    ///
    /// Numbers are read as a model will read them, by a replay of the log: nothing of a row's future is in them.
    ///
    /// - Parameters:
    ///   - base: what finds users and items, with the priors of clicks.
    ///   - samples: Rows that numbers and coverage are told of, evenly spread; at most about this many.
    /// - Throws: when the schema cannot be meant, or names fields that the data set does not have.
    /// - Complexity: O(rows * windows) and O(samples * features).
    public init(
        fitting schema: FeatureSchema, to dataset: Dataset, rows: Range<Int>, base: FeatureEncoder,
        samples: Int = 100_000
    ) throws(FeatureError) {
        try schema.validate()
        let names = dataset.users.fields.map(\.name)
        let contexts = dataset.exposures.contexts.map { ContextField(name: $0.name, count: $0.vocabulary.count) }
        let resolved = try schema.resolved(for: FeatureSupply(dataset, rows: rows))
        try resolved.validate()
        let counts = OwnerCounts(dataset, rows, base)
        let vocabularies = counts.vocabularies(resolved.minimumCounts)
        self.init(
            schema: resolved, description: base.description, profile: names, contexts: contexts,
            rates: counts.rates(of: resolved), numbers: [:],
            rows: Self.rows(of: resolved, dataset, base, vocabularies), coverage: [:], vocabularies: vocabularies)
        measure(dataset, rows, base, samples)
    }

    /// Empty statistics for this schema.
    public func makeStatistics(columns: ItemFeatureColumns) -> RankingStatistics {
        RankingStatistics(
            schema: schema, columns: columns, surfaceCount: description.surfaceCount,
            profile: Array(zip(profile, description.profileSizes)))
    }

    /// Rows of every table that a feature or a history may look up, as fitting would have them.
    ///
    /// - Parameter schema: Resolved for the data set.
    public static func rows(
        of schema: FeatureSchema, in dataset: Dataset, rows: Range<Int>, base: FeatureEncoder
    ) -> [String: Int] {
        let minimums = schema.minimumCounts
        let vocabularies = minimums.isEmpty ? [:] : OwnerCounts(dataset, rows, base).vocabularies(minimums)
        return self.rows(of: schema, dataset, base, vocabularies)
    }

    private static func rows(
        of schema: FeatureSchema, _ dataset: Dataset, _ base: FeatureEncoder, _ vocabularies: [String: [UInt32]]
    ) -> [String: Int] {
        let columns = base.columns
        var rows = [
            "user": dataset.users.count + 1, "item": columns.count + 1, "category": columns.categoryCount,
            "author": columns.authorCount, "city": columns.cityCount, "tag": max(columns.tags.names.count, 1),
            "surface": base.description.surfaceCount,
        ]
        for field in dataset.exposures.contexts { rows["context.\(field.name)"] = field.vocabulary.count }
        for (field, size) in zip(dataset.users.fields, base.description.profileSizes) {
            rows["profile.\(field.name)"] = max(size, 1)
        }
        for (table, vocabulary) in vocabularies { rows[table] = Int(vocabulary.max() ?? 0) + 1 }
        rows.merge(schema.fixedRows) { $1 }
        let used = schema.tables
        return rows.filter { used.contains($0.key) }
    }

    /// Replays the rows with numbers as they are, and fits scales, intervals and coverage to samples of them.
    private mutating func measure(_ dataset: Dataset, _ rows: Range<Int>, _ base: FeatureEncoder, _ samples: Int) {
        var raw = self
        for index in raw.schema.features.indices where schema.features[index].resolvedTransform == .bucketise {
            raw.schema.features[index].transform = .identity
        }
        let statistics = makeStatistics(columns: base.columns)
        let encoder = RankingEncoder(
            raw, columns: base.columns, itemIndex: base.itemIndex, userIndex: base.userIndex, statistics: statistics)
        let step = max(rows.count / max(samples, 1), 1)
        var replay = Replay(dataset: dataset, encoder: base, ranking: statistics)
        let counter = FeatureCounter(raw.schema)
        let table = replay.rankingExamples(rows, encoder: encoder, counter: counter) { row in
            (row - rows.lowerBound) % step == 0 && dataset.exposures.isTrial(row)
        }
        let measured = raw.schema.features.filter(\.isNumber).map(\.name)
        let given = Dictionary(uniqueKeysWithValues: schema.features.map { ($0.name, $0) })
        coverage = counter.coverage
        for (place, name) in measured.enumerated() {
            let values = (0..<table.count).map { table.numbers[$0 * measured.count + place] }
            let known = values.filter { !$0.isNaN }.sorted()
            var fit = NumberFit(known)
            if let feature = given[name], feature.resolvedTransform == .bucketise {
                fit.boundaries = feature.boundaries ?? Self.quantiles(known, feature.buckets ?? 2)
            }
            numbers[name] = fit
            var spread = FeatureCoverage(boundaries: Self.quantiles(known, FeatureCoverage.bins))
            for value in values { spread.count(value) }
            coverage[name] = spread
        }
    }

    /// Boundaries between so many intervals of equally many values; fewer where values repeat.
    private static func quantiles(_ sorted: [Float], _ count: Int) -> [Float] {
        guard let first = sorted.first else { return [] }
        var boundaries: [Float] = []
        for index in 1..<max(count, 1) {
            let value = sorted[min(index * sorted.count / count, sorted.count - 1)]
            if value > boundaries.last ?? first { boundaries.append(value) }
        }
        return boundaries
    }
}

extension NumberFit {
    fileprivate init(_ values: [Float]) {
        let count = Double(max(values.count, 1))
        let mean = values.reduce(0.0) { $0 + Double($1) } / count
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        // What is always the same stays 0.
        self.init(mean: Float(mean), deviation: variance > 1e-12 ? Float(variance.squareRoot()) : 1)
    }
}

/// Counts of the whole log's rows by owner.
private struct OwnerCounts {
    private var tables: [StatisticsOwner: WindowedTable] = [:]
    /// By table of a vocabulary, showings of each value.
    private var showings: [String: [Int]] = [:]

    init(_ dataset: Dataset, _ rows: Range<Int>, _ base: FeatureEncoder) {
        let (log, columns) = (dataset.exposures, base.columns)
        let counters = Counter.allCases
        var items = WindowedTable(entities: columns.count, windows: [.all], counters: counters)
        var authors = WindowedTable(entities: columns.authorCount, windows: [.all], counters: counters)
        var categories = WindowedTable(entities: columns.categoryCount, windows: [.all], counters: counters)
        var surfaces = WindowedTable(
            entities: max(base.description.surfaceCount, 1), windows: [.all], counters: counters)
        var users = [Int](repeating: 0, count: dataset.users.count + 1)
        for row in rows where log.isTrial(row) {
            let actions = Actions(rawValue: log.actions[row]).union(.impression)
            let (item, seconds) = (Int(log.items[row]), log.watchSeconds[row])
            items.add(item, actions, watchSeconds: seconds, at: 0)
            authors.add(Int(columns.authors[item]), actions, watchSeconds: seconds, at: 0)
            categories.add(Int(columns.categories[item]), actions, watchSeconds: seconds, at: 0)
            let surface = Int(log.surfaces[row]) < surfaces.entities ? Int(log.surfaces[row]) : 0
            surfaces.add(surface, actions, watchSeconds: seconds, at: 0)
            users[Int(log.users[row]) + 1] += 1
        }
        tables = [.item: items, .author: authors, .category: categories, .surface: surfaces]
        showings = ["user": users, "item": [0] + Self.impressions(items)]
        showings["author"] = Self.impressions(authors)
        showings["category"] = Self.impressions(categories)
    }

    private static func impressions(_ table: WindowedTable) -> [Int] {
        (0..<table.entities).map { Int(table.count($0, window: 0, counter: Counter.impressions.rawValue, at: 0)) }
    }

    /// The priors of all rates that a schema reads. The unknown author and category are mixtures, and take no part.
    func rates(of schema: FeatureSchema) -> [String: BetaPrior] {
        var rates: [String: BetaPrior] = [:]
        for feature in schema.features {
            guard case .statistic(let owner, .rate(let successes)) = feature.parsedSource, let table = tables[owner]
            else { continue }
            let first = owner == .author || owner == .category ? 1 : 0
            let column = { (counter: Counter) in
                (first..<max(table.entities, first)).map {
                    table.count($0, window: 0, counter: counter.rawValue, at: 0)
                }
            }
            rates[RankingEncoder.rateKey(owner, .rate(successes))] = BetaPrior(
                successes: column(successes), trials: column(Statistic.trials(of: successes)))
        }
        return rates
    }

    /// - Parameter minimums: by table.
    /// - Returns: by table, for each value its row, 0 for those that are too rare.
    func vocabularies(_ minimums: [String: [Int]]) -> [String: [UInt32]] {
        var result: [String: [UInt32]] = [:]
        for (table, counts) in minimums {
            guard let minimum = counts.first, minimum > 1, let seen = showings[table] else { continue }
            var next: UInt32 = 0
            result[table] = seen.enumerated().map { value, count in
                guard value > 0, count >= minimum else { return 0 }
                next += 1
                return next
            }
        }
        return result
    }
}
