/// A schema with what was fitted on training rows: all that is needed, beside the catalogue, to make a model's inputs.
public struct FittedFeatures: Codable, Hashable, Sendable {
    /// Resolved for the data set.
    public var schema: FeatureSchema
    public var description: FeatureDescription
    /// Names of the data set's profile fields, in order; their sizes are in the description.
    public var profile: [String]
    /// The data set's context fields, in the order of a scene's.
    public var contexts: [ContextField]
    /// By statistic: `item.click_rate`, whatever the window and the split.
    public var rates: [String: BetaPrior]
    /// By feature that is a number, in the order of the schema.
    public var numbers: [String: NumberFit]
    /// Rows of each embedding table, by name.
    public var rows: [String: Int]
    /// By feature, of the rows it was fitted on.
    public var coverage: [String: FeatureCoverage]
    /// By table, for each row of the catalogue's numbering the row of the table; tables that keep all are not there. Stored
    /// beside the description, as tensors.
    public var vocabularies: [String: [UInt32]] = [:]

    private enum CodingKeys: String, CodingKey {
        case schema, description, profile, contexts, rates, numbers, rows, coverage
    }
}

extension FittedFeatures {
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            schema: try values.decode(FeatureSchema.self, forKey: .schema),
            description: try values.decode(FeatureDescription.self, forKey: .description),
            profile: try values.decode([String].self, forKey: .profile),
            // Written before there were any: none.
            contexts: try values.decodeIfPresent([ContextField].self, forKey: .contexts) ?? [],
            rates: try values.decode([String: BetaPrior].self, forKey: .rates),
            numbers: try values.decode([String: NumberFit].self, forKey: .numbers),
            rows: try values.decode([String: Int].self, forKey: .rows),
            coverage: try values.decode([String: FeatureCoverage].self, forKey: .coverage))
    }
}

/// A context field of a data set.
public struct ContextField: Codable, Hashable, Sendable {
    public var name: String
    /// Its values, the unknown one included.
    public var count: Int
}

/// How a number becomes one of order 1, or an interval.
public struct NumberFit: Codable, Hashable, Sendable {
    public var mean: Float
    public var deviation: Float
    /// Between intervals; of bucketised features only.
    public var boundaries: [Float]?

    /// Before anything is fitted: numbers as they are, missing ones NaN.
    static let raw = NumberFit(mean: 0, deviation: .nan)

    var isRaw: Bool { deviation.isNaN }

    /// Standardised numbers further out are cut.
    static let limit: Float = 8

    /// A missing value is the mean.
    func standardised(_ value: Float) -> Float {
        if isRaw { return value }
        return value.isNaN ? 0 : min(max((value - mean) / deviation, -Self.limit), Self.limit)
    }

    /// The interval of a value, from 1; values on a boundary belong above it.
    func bucket(_ value: Float) -> UInt32 {
        let boundaries = boundaries ?? []
        var (low, high) = (0, boundaries.count)
        while low < high {
            let middle = (low + high) / 2
            if boundaries[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return UInt32(low + 1)
    }
}

/// An input of a net, as the features fill it.
public struct FeatureField: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case categorical, multivalued, numeric
    }

    public var name: String
    public var kind: Kind
    /// Embedding table; empty for numbers.
    public var table: String
    /// Numbers of a numeric field.
    public var count: Int
}

extension FittedFeatures {
    /// See ``FeatureSchema/fields``.
    public var fields: [FeatureField] { schema.fields }
}

extension FeatureSchema {
    /// The fields of ``RankerInputs``, in order: each categorical or multi-valued feature, then all numbers as one. The schema
    /// is one that was resolved.
    public var fields: [FeatureField] {
        var fields = features.filter { !$0.isNumber }.map { feature in
            FeatureField(
                name: feature.name, kind: feature.isCategorical ? .categorical : .multivalued,
                table: feature.tableName, count: 0)
        }
        let numbers = features.count { $0.isNumber }
        if numbers > 0 {
            fields.append(FeatureField(name: Self.numbersField, kind: .numeric, table: "", count: numbers))
        }
        return fields
    }

    /// Embedding tables that features and histories look up.
    public var tables: Set<String> {
        Set(
            features.filter { !$0.isNumber }.map(\.tableName)
                + histories.flatMap { $0.columns.map(\.rawValue) })
    }

    /// Rows of the tables whose sizes the schema decides: intervals and hashes, hours, days of the week and holidays. Row 0 is
    /// the missing value.
    public var fixedRows: [String: Int] {
        var rows = ["hour": Clock.hours + 1, "weekday": Clock.weekdays + 1, "holiday": 3]
        for feature in features where !feature.isNumber && feature.resolvedTransform != .vocabulary {
            rows[feature.tableName] = (feature.buckets ?? (feature.boundaries?.count ?? 0) + 1) + 1
        }
        return rows
    }
}

extension FeatureDefinition {
    /// Whether it is one of the numbers.
    var isNumber: Bool { parsedSource.kind == .number && resolvedTransform != .bucketise }

    /// The embedding table of a feature that has one.
    public var tableName: String {
        resolvedTransform == .vocabulary ? parsedSource.table ?? name : name
    }
}
