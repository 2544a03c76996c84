public import Features

/// How the two-tower model is trained. Serving needs none of it.
public struct TwoTowerTrainingSpecification: Codable, Hashable, Sendable {
    public var loss = RetrievalLoss.listwise
    public var correction = SamplingCorrection.stream
    public var stream = StreamSpecification()
    public var positives = PositiveSpecification()
    public var negatives = NegativeSpecification()
    public var selfSupervised = SelfSupervisedSpecification()
    /// By how much a positive's cosine shall exceed a negative's; triplet hinge only.
    public var margin: Float = 0.2
    /// Multiplies differences of cosines; triplet logistic only.
    public var sigma: Float = 10

    public init() {}
}

/// What the two-tower model minimises.
public enum RetrievalLoss: String, NamedChoice, Hashable {
    /// Cross-entropy of each pair by itself: cos / temperature is the log-odds of a click.
    case pointwise
    /// max(0, cos(a, b-) + margin - cos(a, b+)).
    case hinge
    /// log(1 + exp(sigma (cos(a, b-) - cos(a, b+)))) (Huang et al., KDD 2020).
    case logistic
    /// Softmax cross-entropy of the clicked item among all items of the batch (Yi et al., RecSys 2019).
    case listwise
}

/// Where the log p_j comes from that is subtracted from logits; listwise loss only.
public enum SamplingCorrection: String, NamedChoice, Hashable {
    /// How many batches pass from one occurrence of an item to the next, followed as they pass.
    case stream
    /// The item's share of all clicks.
    case counts
    case none
}

/// The estimate of how often an item is in a batch (Yi et al., RecSys 2019, algorithms 2 and 3).
public struct StreamSpecification: Codable, Hashable, Sendable {
    /// Cells of each array.
    public var buckets = 1 << 18
    /// Hash functions; of their estimates the rarest counts, so that few collisions matter.
    public var hashes = 2
    /// Weight of the newest gap between two occurrences in their moving average.
    public var rate = 0.05

    public init() {}
}

/// Which clicks are learned from, and how often.
public struct PositiveSpecification: Codable, Hashable, Sendable {
    /// A click on an item whose share f of all clicks is above this counts with probability sqrt(this / f); 0: all count.
    public var popularShare = 0.0
    /// A click on an item with fewer clicks than this counts tailClicks / clicks times on average ...
    public var tailClicks = 0
    /// ... at most so many.
    public var tailCopies = 3.0

    public init() {}
}

/// What clicked items stand against. What was shown and not clicked is never among it.
public struct NegativeSpecification: Codable, Hashable, Sendable {
    public enum Easy: String, NamedChoice, Hashable {
        /// Items that others of the batch clicked.
        case inBatch = "in_batch"
        /// Drawn from the catalogue, as clicks^popularityPower.
        case global
    }

    public var easy = Easy.inBatch
    public var popularityPower = 0.75
    /// Negatives of a positive; pointwise and pairwise losses.
    public var perPositive = 3
    /// Negatives drawn for a batch; listwise loss with global ones.
    public var globalPerBatch = 512
    /// What hard negatives, candidates that ranking rejected, weigh among all; 0: none. Without a log of them all are easy.
    public var hardShare = 0.5
    /// Hard negatives of a positive; listwise loss. In the softmax they cost more than they gave where it was measured.
    public var hardPerPositive = 0

    public init() {}
}

/// How two views of an item are made to differ (Yao et al., CIKM 2021).
public enum ItemTransformKind: String, NamedChoice, Hashable {
    /// Each attribute is hidden with probability 1/2.
    case randomMask = "random_mask"
    /// Half of the values of attributes with several, tags, are dropped.
    case dropout
    /// One view has half of the attributes, the other the other half.
    case complementary
    /// An attribute and the half of all that tells most of it are hidden.
    case mutualInformation = "mutual_information"
}

/// The item tower learns besides to tell an item from others when something of it is hidden: items drawn uniformly, so that
/// the tail is learned as well as the head.
public struct SelfSupervisedSpecification: Codable, Hashable, Sendable {
    /// Weight of the loss beside the main one; 0: none.
    public var alpha: Float = 0
    public var transform = ItemTransformKind.mutualInformation
    /// Items drawn for a batch.
    public var items = 256
    /// Divides cosines, to logits.
    public var temperature: Float = 0.1

    public init() {}
}

extension TwoTowerSpecification {
    /// Throws unless the values can be used; the message names the key.
    public func validate() throws(ModelError) {
        try check("temperature", temperature, 1e-3...1e3)
        try check("recentItems", recentItems, 1...200)
        let selfSupervised = training.selfSupervised
        try check("training.selfSupervised.alpha", selfSupervised.alpha, 0...1e3)
        try check("training.selfSupervised.items", selfSupervised.items, 2...65_536)
        try check("training.selfSupervised.temperature", selfSupervised.temperature, 1e-3...1e3)
        if selfSupervised.alpha > 0 { try checkTransform(selfSupervised.transform) }
        let (positives, negatives, stream) = (training.positives, training.negatives, training.stream)
        try check("training.margin", training.margin, 0...2)
        try check("training.sigma", training.sigma, 1e-3...1e3)
        try check("training.stream.buckets", stream.buckets, 1...1 << 28)
        try check("training.stream.hashes", stream.hashes, 1...8)
        try check("training.stream.rate", stream.rate, 1e-6...1)
        try check("training.positives.popularShare", positives.popularShare, 0...1)
        try check("training.positives.tailClicks", positives.tailClicks, 0...1_000_000_000)
        try check("training.positives.tailCopies", positives.tailCopies, 1...100)
        try check("training.negatives.popularityPower", negatives.popularityPower, 0...4)
        try check("training.negatives.perPositive", negatives.perPositive, 1...100)
        try check("training.negatives.globalPerBatch", negatives.globalPerBatch, 1...65_536)
        try check("training.negatives.hardShare", negatives.hardShare, 0...0.95)
        try check("training.negatives.hardPerPositive", negatives.hardPerPositive, 0...100)
    }

    private func checkTransform(_ transform: ItemTransformKind) throws(ModelError) {
        let found = item.attributes.map { "\($0)" }.joined(separator: ", ")
        let key = "twoTower.training.selfSupervised.transform"
        guard transform == .dropout ? item.attributes.contains(.tags) : item.attributes.count >= 2 else {
            throw ModelError(
                .invalid,
                "\(key): \(transform.rawValue) needs \(transform == .dropout ? "tags" : "two attributes") in the item "
                    + "tower, found \(found.isEmpty ? "none" : found)")
        }
    }

    private func check<Value: Comparable>(
        _ key: String, _ value: Value, _ range: ClosedRange<Value>
    ) throws(ModelError) {
        guard range.contains(value) else {
            throw ModelError(
                .invalid, "twoTower.\(key): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
    }
}
