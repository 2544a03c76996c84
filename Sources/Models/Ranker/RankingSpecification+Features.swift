public import Features

extension RankingSpecification {
    /// The features that the net reads: all of a data set unless it names some, and histories as its sequences want them.
    ///
    /// - Parameters:
    ///   - supply: what the data set has.
    ///   - days: that the log spans. Of less than two weeks the day of the week says which days were trained on, and no more:
    ///     it is left out, and whether it is a holiday.
    /// - Throws: `FeatureError` for a schema that cannot be meant, `ModelError.invalid` for a sequence that has no history.
    public func schema(for supply: FeatureSupply, days: Double) throws -> FeatureSchema {
        try features.validate()
        var schema = try features.resolved(for: supply)
        if days < 14 {
            let daily: [FeatureSource] = [.scene(.weekday), .scene(.holiday)]
            let dropped = Set(
                schema.features.filter { FeatureSource($0.source).map(daily.contains) ?? false }.map(\.name))
            schema.features.removeAll { dropped.contains($0.name) }
            schema.dropCombinations { !dropped.isDisjoint(with: $0.of ?? []) }
        }
        let names = Set(net.fields.map(\.name))
        if !names.isEmpty {
            let hasNumbers = names.contains(FeatureSchema.numbersField)
            schema.features = schema.features.filter { names.contains($0.name) || (hasNumbers && $0.isNumeric) }
        }
        schema.histories = try net.sequences.map(history)
        return schema
    }

    /// The history of the sequence's name, with its columns.
    private func history(_ sequence: RankerSequence) throws -> HistoryDefinition {
        guard var history = features.histories.first(where: { $0.name == sequence.name }) else {
            let known = features.histories.map(\.name).joined(separator: ", ")
            throw ModelError(
                .invalid,
                "ranker.net.sequences: there is no history '\(sequence.name)' among the features; known: \(known)")
        }
        history.columns = try sequence.columns.map { column in
            guard let found = HistoryDefinition.Column(rawValue: column.table) else {
                let known = HistoryDefinition.Column.allCases.map(\.rawValue).joined(separator: ", ")
                throw ModelError(
                    .invalid,
                    "ranker.net.sequences: \(sequence.name): a history has no column '\(column.table)'; known: \(known)"
                )
            }
            return found
        }
        history.length = sequence.length
        history.ages = sequence.ageWidth > 0
        return history
    }
}

extension FeatureDefinition {
    /// Whether it is one of the numbers that are a field together.
    fileprivate var isNumeric: Bool { FeatureSource(source)?.kind == .number && transform != .bucketise }
}

extension RankerField {
    /// The field that features fill.
    public init(_ field: FeatureField) {
        switch field.kind {
        case .categorical: self.init(field.name, .categorical, table: field.table)
        case .multivalued: self.init(field.name, .multivalued, table: field.table)
        case .numeric: self.init(field.name, .numeric, count: field.count)
        }
    }
}
