import Catalog

extension FeatureSchema {
    /// Throws unless the schema can be meant; the message names the feature.
    public func validate() throws(FeatureError) {
        var names: Set<String> = []
        for name in features.map(\.name) + histories.map(\.name) {
            guard !name.isEmpty, names.insert(name).inserted else {
                throw FeatureError("features: expected a name of its own for each, found '\(name)' again")
            }
        }
        guard !names.contains(Self.numbersField) else {
            throw FeatureError("features: the name '\(Self.numbersField)' is that of all numbers together")
        }
        _ = try LocalClock(self)
        for feature in features { try feature.validate(in: self) }
        for (table, counts) in minimumCounts where Set(counts).count > 1 {
            throw FeatureError("features of the table '\(table)': expected one minimumCount, found \(counts)")
        }
        for history in histories { try history.validate() }
    }

    /// The schema for a data set: `user.profile.*` and `scene.context.*` become a feature for each profile and context field, and
    /// optional features of what is not there are left out.
    ///
    /// - Throws: when a feature that is not optional names a field that is not there.
    public func resolved(for supply: FeatureSupply) throws(FeatureError) -> FeatureSchema {
        var result = self
        result.features = []
        let named = Set(features.compactMap { FeatureSource($0.source) })
        for feature in features {
            switch feature.parsedSource {
            case .profile("*"):
                for field in supply.profile where !named.contains(.profile(field)) {
                    result.features.append(FeatureDefinition("profile.\(field)", "user.profile.\(field)"))
                }
            case .context("*"):
                for field in supply.contexts where !named.contains(.context(field)) {
                    result.features.append(FeatureDefinition("context.\(field)", "scene.context.\(field)"))
                }
            case let source:
                let lack = lack(of: feature, in: supply)
                if feature.optional == true {
                    guard lack == nil, supply.has(source) else { continue }
                }
                if let lack { throw FeatureError("feature '\(feature.name)': \(lack)") }
                result.features.append(feature)
            }
        }
        result.dropCombinations { $0.optional == true }
        return result
    }

    /// Leaves out combinations of features that are not there.
    ///
    /// - Parameter mayDrop: which; others are for `validate` to refuse.
    public mutating func dropCombinations(where mayDrop: (FeatureDefinition) -> Bool) {
        let names = Set(features.map(\.name))
        features.removeAll { feature in
            feature.parsedSource == .combination && mayDrop(feature)
                && !Set(feature.of ?? []).isSubset(of: names)
        }
    }

    /// The field a feature names, or the holidays, when they are not there.
    private func lack(of feature: FeatureDefinition, in supply: FeatureSupply) -> String? {
        func lack(_ field: String, _ kind: String, among known: [String]) -> String? {
            guard !known.contains(field) else { return nil }
            return "the data set has no \(kind) field '\(field)'; it has "
                + (known.isEmpty ? "none" : known.joined(separator: ", "))
        }
        return switch feature.parsedSource {
        case .profile(let name): lack(name, "profile", among: supply.profile)
        case .context(let name): lack(name, "context", among: supply.contexts)
        case .statistic(.item, _): feature.split.flatMap { lack($0, "profile", among: supply.profile) }
        case .scene(.holiday): holidays.isEmpty ? FeatureDefinition.noHolidays : nil
        default: nil
        }
    }

    /// By table, what features that use it as a vocabulary ask for.
    var minimumCounts: [String: [Int]] {
        var counts: [String: [Int]] = [:]
        for feature in features where feature.resolvedTransform == .vocabulary {
            if let count = feature.minimumCount { counts[feature.tableName, default: []].append(count) }
        }
        return counts
    }

    /// The one field that holds all numbers.
    public static let numbersField = "numbers"
}

extension FeatureDefinition {
    fileprivate static let noHolidays = "no holidays are named"

    /// The source, which a validated definition has.
    var parsedSource: FeatureSource {
        guard let source = FeatureSource(source) else { preconditionFailure("\(name): no source '\(source)'") }
        return source
    }

    var resolvedTransform: Transform {
        if let transform { return transform }
        switch parsedSource {
        case .statistic(_, .rate), .user(.rate): return .rate
        case .combination, .item(.geohash): return .hash
        default: return parsedSource.kind == .number ? .log1p : .vocabulary
        }
    }

    /// Whether it is a row of an embedding table.
    var isCategorical: Bool { parsedSource.kind == .categorical || resolvedTransform == .bucketise }

    fileprivate func validate(in schema: FeatureSchema) throws(FeatureError) {
        func fail(_ what: String) -> FeatureError { FeatureError("feature '\(name)': \(what)") }
        guard let source = FeatureSource(source) else {
            throw fail("unknown source '\(source)'; known: \(FeatureSource.help)")
        }
        let transform = resolvedTransform
        let fitting: [Transform] =
            switch source {
            case .statistic(_, .rate), .user(.rate): [.rate, .bucketise]
            case .combination, .item(.geohash): [.hash]
            default: source.kind == .number ? [.log1p, .identity, .bucketise] : [.vocabulary, .hash]
            }
        guard fitting.contains(transform) else {
            throw fail(
                "'\(transform.rawValue)' does not fit '\(self.source)'; expected "
                    + fitting.map(\.rawValue).joined(separator: " or "))
        }
        try checkNumbers(transform, fail)
        try checkSplit(source, fail)
        if window != nil, !source.isWindowed { throw fail("'\(self.source)' is counted over no window") }
        if source == .scene(.holiday), optional != true, schema.holidays.isEmpty { throw fail(Self.noHolidays) }
        try checkCombination(source, schema, fail)
    }

    private func checkNumbers(_ transform: Transform, _ fail: (String) -> FeatureError) throws(FeatureError) {
        let hasBuckets = transform == .hash || transform == .bucketise
        guard (buckets != nil) == (hasBuckets && boundaries == nil) else {
            throw fail(
                hasBuckets ? "expected buckets\(transform == .bucketise ? " or boundaries" : "")" : "needs no buckets")
        }
        if let buckets, !(2...(1 << 28)).contains(buckets) || (transform == .bucketise && buckets > 4_096) {
            throw fail("buckets: expected 2 to \(transform == .bucketise ? 4_096 : 1 << 28), found \(buckets)")
        }
        if let boundaries {
            guard transform == .bucketise, !boundaries.isEmpty, boundaries.allSatisfy(\.isFinite),
                zip(boundaries, boundaries.dropFirst()).allSatisfy({ $0 < $1 })
            else { throw fail("boundaries: expected rising numbers of a bucketised feature") }
        }
        if let minimumCount {
            guard transform == .vocabulary, parsedSource.hasCountedVocabulary, minimumCount >= 1 else {
                throw fail("minimumCount: expected 1 or more, of a vocabulary of users, items, categories or authors")
            }
        }
    }

    private func checkSplit(_ source: FeatureSource, _ fail: (String) -> FeatureError) throws(FeatureError) {
        guard let split else { return }
        switch source {
        case .statistic(.item, _): return
        case .user(.count(let counter)) where counter != .impressions:
            guard FeatureSchema.userSplits.contains(split) else {
                throw fail("split: expected category or author, found '\(split)'")
            }
        default: throw fail("'\(self.source)' is not split")
        }
    }

    private func checkCombination(
        _ source: FeatureSource, _ schema: FeatureSchema, _ fail: (String) -> FeatureError
    ) throws(FeatureError) {
        guard source == .combination else {
            if of != nil { throw fail("'of' belongs to cross.hash") }
            return
        }
        guard let of, of.count >= 2 else { throw fail("of: expected two features or more") }
        for name in of {
            guard let part = schema.features.first(where: { $0.name == name }), part.name != self.name,
                FeatureSource(part.source).map({ $0.kind == .categorical && $0 != .combination }) == true
            else { throw fail("of: '\(name)' is no categorical feature of the schema") }
        }
    }
}

extension FeatureSchema {
    static let userSplits = ["category", "author"]
}

extension FeatureSource {
    /// Whether it can be counted over a window: the user's impressions are known of all time only.
    var isWindowed: Bool {
        switch self {
        case .user(.count(let counter)): counter != .impressions
        case .statistic: true
        default: false
        }
    }

    var hasCountedVocabulary: Bool {
        switch self {
        case .userID, .item(.id), .item(.category), .item(.author): true
        default: false
        }
    }
}

extension HistoryDefinition {
    /// The actions, of a validated definition.
    var actionSet: [Counter] { actions.compactMap { Counter(name: $0) } }

    fileprivate func validate() throws(FeatureError) {
        func fail(_ what: String) -> FeatureError { FeatureError("history '\(name)': \(what)") }
        for action in actions {
            guard let counter = Counter(name: action), counter.action != nil, counter != .impressions else {
                let known = Counter.allCases.filter { $0.action != nil && $0 != .impressions }.map(\.name)
                throw fail("actions: expected any of \(known.joined(separator: ", ")), found '\(action)'")
            }
        }
        guard !actions.isEmpty else { throw fail("actions: expected one or more") }
        guard !columns.isEmpty, Set(columns).count == columns.count else {
            throw fail("columns: expected item, category or author, each once")
        }
        guard (1...UserState.recentMax).contains(length) else {
            throw fail(
                "length: expected 1 to \(UserState.recentMax), the touches that are kept of a user, found \(length)")
        }
    }
}
