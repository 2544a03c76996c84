public import Features

/// How predictions become the score that candidates are ordered by: a formula of a known family, and its terms.
///
/// x_k is what term k reads of a candidate, see ``FusionTerm``; watch time is in seconds.
public struct FusionSpecification: Codable, Hashable, Sendable {
    public enum Formula: String, NamedChoice, Hashable {
        /// `sum_k weight x_k`.
        case sum
        /// `p_click (1 + sum_k weight x_k)`, p_click of the head `click`.
        case clickTimes = "click_times"
        /// `prod_k (offset + weight x_k)^power`, offset 1 unless it is given.
        case powers
        /// `sum_k weight / (r_k^power + offset)`, r_k the candidate's position by x_k, from 1; offset 0 unless it is given.
        case ranks
        /// `prod_k x_k^power`.
        case commerce
    }

    public var formula: Formula
    public var terms: [FusionTerm]

    public init(_ formula: Formula, _ terms: [FusionTerm]) {
        self.formula = formula
        self.terms = terms
    }

    /// `p_click (1 + seconds / 10)^0.25`.
    public static let standard = FusionSpecification(
        .powers, [FusionTerm(head: "click", offset: 0), FusionTerm(head: "watch_time", weight: 0.1, power: 0.25)])

    /// The standard formula as far as a model has its heads: logs without watch times make models without them. A model with
    /// none of them is ordered by its first head.
    public static func standard(for heads: [String]) -> FusionSpecification {
        let known = standard.terms.filter { $0.head.map(heads.contains) ?? true }
        guard known.isEmpty, let first = heads.first else { return FusionSpecification(standard.formula, known) }
        return FusionSpecification(.sum, [FusionTerm(head: first)])
    }

    /// Terms of a formula: more than there are heads and attributes is a mistake.
    public static let termsMax = 32
}

/// One term of a formula: what it reads of a candidate, and its numbers. A number left out is 1, an offset what the formula
/// says; one that the formula has no use for is an error.
public struct FusionTerm: Codable, Hashable, Sendable {
    /// What a term may read of an item beside predictions.
    public enum Attribute: String, NamedChoice, Hashable {
        /// Seconds.
        case duration
        /// 0...1.
        case quality
        /// In the shop's own currency.
        case price
    }

    /// A head of the model. A term has a head or an attribute.
    public var head: String?
    /// An item of which it is not known is neither lifted nor lowered: the term adds nothing, or multiplies by 1.
    public var attribute: Attribute?
    public var weight: Float?
    public var power: Float?
    public var offset: Float?
    /// Whether what the head predicts is divided by how often items of the candidate's length are finished (`FinishRate`).
    public var lengthAdjusted: Bool

    public init(
        head: String? = nil, attribute: Attribute? = nil, weight: Float? = nil, power: Float? = nil,
        offset: Float? = nil, lengthAdjusted: Bool = false
    ) {
        (self.head, self.attribute) = (head, attribute)
        (self.weight, self.power, self.offset) = (weight, power, offset)
        self.lengthAdjusted = lengthAdjusted
    }

    /// As messages call it.
    public var name: String {
        let input = head ?? attribute?.rawValue ?? ""
        return lengthAdjusted ? "\(input) / f(duration)" : input
    }
}
