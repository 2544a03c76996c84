/// The inputs of a ranking model: what is read of users, items, statistics and the scene, and how each becomes a number or
/// a row of an embedding table. Declared in JSON; one definition for training and serving.
public struct FeatureSchema: Codable, Hashable, Sendable {
    public var features: [FeatureDefinition]
    public var histories: [HistoryDefinition]
    /// In whose time hours, weekdays and holidays are told: a name of the IANA database.
    public var timeZone: String
    /// Dates such as `2026-12-25`: what `scene.holiday` tells.
    public var holidays: [String]

    public init(
        features: [FeatureDefinition], histories: [HistoryDefinition] = [], timeZone: String = "UTC",
        holidays: [String] = []
    ) {
        self.features = features
        self.histories = histories
        self.timeZone = timeZone
        self.holidays = holidays
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            features: try values.decode([FeatureDefinition].self, forKey: .features),
            histories: try values.decode([HistoryDefinition].self, forKey: .histories),
            // Models that were trained before these keys were told of UTC.
            timeZone: try values.decodeIfPresent(String.self, forKey: .timeZone) ?? "UTC",
            holidays: try values.decodeIfPresent([String].self, forKey: .holidays) ?? [])
    }
}

/// One feature.
public struct FeatureDefinition: Codable, Hashable, Sendable {
    public enum Transform: String, NamedChoice, Hashable {
        /// A category by its row of the catalogue, or of the data set's users and names.
        case vocabulary
        /// A category by the remainder of its hash: `buckets` rows, in which some collide.
        case hash
        /// A number as the interval it lies in: an embedding each.
        case bucketise
        /// log(1 + x), then standardised.
        case log1p
        /// Standardised as it is.
        case identity
        /// Log-odds of a smoothed rate, less those of the common rate.
        case rate
    }

    public var name: String
    /// ``FeatureSource`` in words.
    public var source: String
    /// Of counts and rates; all of time when left out.
    public var window: StatisticsWindow?
    /// Counts by what they are split: of an item, by a profile field of its viewers; of a user, by `category` or `author` of
    /// the items. What is read is the part of this viewer, or of this candidate.
    public var split: String?
    /// What fits the source when left out: `vocabulary`, `log1p` or `rate`.
    public var transform: Transform?
    /// Of a hash, or of a number in intervals.
    public var buckets: Int?
    /// Of intervals, ascending; fitted quantiles when left out.
    public var boundaries: [Float]?
    /// Values of a vocabulary seen in fewer showings count as unknown.
    public var minimumCount: Int?
    /// Features that a combination hashes together.
    public var of: [String]?
    /// Left out where the data set lacks what it reads (``FeatureSupply``). Otherwise a field or holidays that are not there are
    /// refused, and anything else is unknown or 0 throughout.
    public var optional: Bool?

    public init(
        _ name: String, _ source: String, window: StatisticsWindow? = nil, split: String? = nil,
        transform: Transform? = nil, buckets: Int? = nil, boundaries: [Float]? = nil, minimumCount: Int? = nil,
        of: [String]? = nil, optional: Bool? = nil
    ) {
        self.name = name
        self.source = source
        self.window = window
        self.split = split
        self.transform = transform
        self.buckets = buckets
        self.boundaries = boundaries
        self.minimumCount = minimumCount
        self.of = of
        self.optional = optional
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, source, window, split, transform, buckets, boundaries, minimumCount, of, optional
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        source = try values.decode(String.self, forKey: .source)
        window = try values.decodeIfPresent(StatisticsWindow.self, forKey: .window)
        split = try values.decodeIfPresent(String.self, forKey: .split)
        transform = try values.decodeIfPresent(Transform.self, forKey: .transform)
        buckets = try values.decodeIfPresent(Int.self, forKey: .buckets)
        boundaries = try values.decodeIfPresent([Float].self, forKey: .boundaries)
        minimumCount = try values.decodeIfPresent(Int.self, forKey: .minimumCount)
        of = try values.decodeIfPresent([String].self, forKey: .of)
        optional = try values.decodeIfPresent(Bool.self, forKey: .optional)
    }
}

/// A sequence of the user's touches, newest first.
public struct HistoryDefinition: Codable, Hashable, Sendable {
    public enum Column: String, NamedChoice, Hashable {
        case item, category, author
    }

    public var name: String
    /// A touch is one of the sequence when it has any of these: names of ``Counter``s but impressions and seconds.
    public var actions: [String]
    public var columns: [Column]
    /// Touches, at most.
    public var length: Int
    /// Whether each touch's age is told (``AgeBuckets``).
    public var ages: Bool

    public init(
        _ name: String, actions: [String] = ["clicks"], columns: [Column] = [.item, .category], length: Int = 50,
        ages: Bool = false
    ) {
        self.name = name
        self.actions = actions
        self.columns = columns
        self.length = length
        self.ages = ages
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, actions, columns, length, ages
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: CodingKeys.self)
        self.init(
            try values.decode(String.self, forKey: .name),
            actions: try values.decodeIfPresent([String].self, forKey: .actions) ?? ["clicks"],
            columns: try values.decodeIfPresent([Column].self, forKey: .columns) ?? [.item, .category],
            length: try values.decodeIfPresent(Int.self, forKey: .length) ?? 50,
            ages: try values.decodeIfPresent(Bool.self, forKey: .ages) ?? false)
    }
}
