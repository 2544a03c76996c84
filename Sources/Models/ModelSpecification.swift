public import Features

/// What the models are made of: features, towers, sizes and fusion. Travels as JSON in the snapshot's manifest and in
/// the metadata of the components it describes.
public struct ModelSpecification: Codable, Hashable, Sendable {
    public var recall: RecallSpecification
    public var twoTower: TwoTowerSpecification
    public var threeTower: ThreeTowerSpecification
    public var ranker: RankingSpecification

    public init(
        recall: RecallSpecification = .init(), twoTower: TwoTowerSpecification = .init(),
        threeTower: ThreeTowerSpecification = .init(), ranker: RankingSpecification = .init()
    ) {
        self.recall = recall
        self.twoTower = twoTower
        self.threeTower = threeTower
        self.ranker = ranker
    }
}

/// Embedding widths by what is embedded.
public struct EmbeddingWidths: Codable, Hashable, Sendable {
    public var user = 16
    public var item = 32
    public var category = 16
    public var author = 16
    /// Each profile field, the surface, the hour and the weekday.
    public var small = 4

    public init() {}

    public init(user: Int, item: Int, category: Int, author: Int, small: Int) {
        self.user = user
        self.item = item
        self.category = category
        self.author = author
        self.small = small
    }
}

/// What a user tower embeds. A pooled field is the mean over the clicked last-n.
public enum UserField: String, NamedChoice, Hashable {
    case user
    /// Every profile field of the data set, an embedding each.
    case profile
    case surface
    case hour
    case weekday
    case recentItems = "recent_items"
    case recentCategories = "recent_categories"
    case recentAuthors = "recent_authors"
    case recentTags = "recent_tags"
    /// Liked, collected or shared items of the last-n.
    case likedItems = "liked_items"
    /// How many items the user was shown, in buckets.
    case activity
}

/// What an item tower embeds.
public enum ItemField: String, NamedChoice, Hashable {
    case item
    case category
    case author
    case city
    /// The mean over the item's tags.
    case tags
    /// Numbers in buckets.
    case durationBucket = "duration_bucket"
    case ageBucket = "age_bucket"
    case qualityBucket = "quality_bucket"

    public var attribute: ItemAttribute {
        switch self {
        case .item: .item
        case .category: .category
        case .author: .author
        case .city: .city
        case .tags: .tags
        case .durationBucket: .duration
        case .ageBucket: .age
        case .qualityBucket: .quality
        }
    }
}

/// Numeric inputs of an item tower.
public enum ItemFeature: String, NamedChoice, Hashable {
    /// log(1 + seconds) / 5.
    case duration
    /// `FeatureEncoder.age(published:now:)`; at serving, the age when the snapshot was made.
    case age
    /// -1...1; 0 when it is not known.
    case quality

    public var attribute: ItemAttribute {
        switch self {
        case .duration: .duration
        case .age: .age
        case .quality: .quality
        }
    }
}

public struct UserTowerSpecification: Codable, Hashable, Sendable {
    public var fields: [UserField]
    public var numeric: [UserFeature]
    /// Outputs of each dense layer; ReLU between layers, none after the last.
    public var layers: [Int]

    public init(fields: [UserField], numeric: [UserFeature], layers: [Int]) {
        self.fields = fields
        self.numeric = numeric
        self.layers = layers
    }

    /// Lists that the encoder must make for the tower.
    public var lists: UserLists {
        fields.reduce(into: []) { lists, field in
            switch field {
            case .recentAuthors: lists.insert(.recentAuthors)
            case .recentTags: lists.insert(.recentTags)
            case .likedItems: lists.insert(.likedItems)
            default: break
            }
        }
    }
}

public struct ItemTowerSpecification: Codable, Hashable, Sendable {
    public var fields: [ItemField]
    public var numeric: [ItemFeature]
    /// Outputs of each dense layer; ReLU between layers, none after the last.
    public var layers: [Int]

    public init(fields: [ItemField], numeric: [ItemFeature], layers: [Int]) {
        self.fields = fields
        self.numeric = numeric
        self.layers = layers
    }

    /// Everything of an item that the tower reads, each once.
    public var attributes: [ItemAttribute] {
        let read = Set(fields.map(\.attribute) + numeric.map(\.attribute))
        return ItemAttribute.allCases.filter(read.contains)
    }
}

/// The two-tower recall model (Yi et al., RecSys 2019).
public struct TwoTowerSpecification: Codable, Hashable, Sendable {
    public var user = UserTowerSpecification(
        fields: [.user, .profile, .recentItems, .recentCategories], numeric: [], layers: [128, 64])
    public var item = ItemTowerSpecification(
        fields: [.item, .category, .author], numeric: [.duration, .age], layers: [128, 64])
    public var embeddings = EmbeddingWidths()
    /// Newest clicked items that are pooled.
    public var recentItems = 50
    /// Divides cosines, to logits.
    public var temperature: Float = 0.1
    public var training = TwoTowerTrainingSpecification()

    public init() {}

    /// A specification that was written before it said how to train is trained by default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        user = try container.decode(UserTowerSpecification.self, forKey: .user)
        item = try container.decode(ItemTowerSpecification.self, forKey: .item)
        embeddings = try container.decode(EmbeddingWidths.self, forKey: .embeddings)
        recentItems = try container.decode(Int.self, forKey: .recentItems)
        temperature = try container.decode(Float.self, forKey: .temperature)
        training =
            try container.decodeIfPresent(TwoTowerTrainingSpecification.self, forKey: .training)
            ?? TwoTowerTrainingSpecification()
    }

    /// Dimension of user and item vectors; both towers end in it.
    public var dimension: Int {
        get { user.layers.last ?? 0 }
        set {
            user.layers = user.layers.dropLast() + [newValue]
            item.layers = item.layers.dropLast() + [newValue]
        }
    }
}

/// The three-tower pre-ranker (after COLD, Wang et al., DLP-KDD 2020).
public struct ThreeTowerSpecification: Codable, Hashable, Sendable {
    public var user = UserTowerSpecification(
        fields: [.user, .profile, .surface, .hour, .weekday, .recentItems, .recentCategories],
        numeric: UserFeature.allCases, layers: [64, 32])
    public var item = ItemTowerSpecification(
        fields: [.item, .category, .author], numeric: [.duration], layers: [64, 32])
    public var embeddings = EmbeddingWidths(user: 8, item: 16, category: 8, author: 8, small: 4)
    public var recentItems = 50
    /// Inputs of the cross tower and of the linear part of the output.
    public var cross = CrossFeature.allCases
    /// Outputs of the cross tower's one layer.
    public var crossWidth = 16
    /// Outputs of the head's hidden layer.
    public var headWidth = 32
    /// Weight of the watch time's loss beside the click's.
    public var watchLossWeight: Float = 0.5
    /// What the ranker says of a showing, beside whether it was clicked: the share of the click's label that is the ranker's
    /// probability, 0...1 (Hinton, Vinyals and Dean 2015). 0 learns from clicks alone.
    public var distillation: Float = 0
    /// What the score is made of, which decides who comes to the ranker; heads: ``heads``.
    public var fusion = FusionSpecification.standard

    /// What the model predicts: the probability of a click, seconds watched.
    public static let heads = ["click", "watch_time"]

    public init() {}

    /// A specification that was written before there was a teacher has none.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        user = try container.decode(UserTowerSpecification.self, forKey: .user)
        item = try container.decode(ItemTowerSpecification.self, forKey: .item)
        embeddings = try container.decode(EmbeddingWidths.self, forKey: .embeddings)
        recentItems = try container.decode(Int.self, forKey: .recentItems)
        cross = try container.decode([CrossFeature].self, forKey: .cross)
        crossWidth = try container.decode(Int.self, forKey: .crossWidth)
        headWidth = try container.decode(Int.self, forKey: .headWidth)
        watchLossWeight = try container.decode(Float.self, forKey: .watchLossWeight)
        distillation = try container.decodeIfPresent(Float.self, forKey: .distillation) ?? 0
        fusion = try container.decode(FusionSpecification.self, forKey: .fusion)
    }

    /// - Throws: `ModelError.invalid` that names the first value that cannot be used.
    public func validate() throws(ModelError) {
        try ModelError.check("threeTower.distillation", distillation, 0...1)
    }
}
