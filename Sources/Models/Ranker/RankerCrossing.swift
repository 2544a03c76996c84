public import Features

/// A block that crosses inputs.
///
/// `fields` chooses categorical and multi-valued fields, and sequences, by name; nil for all of them. Sequences have no part in
/// a factorisation machine.
public enum RankerCrossing: Hashable, Sendable {
    /// Logistic regression: a weight for each value and each number, added to the logits of `heads` (nil for all).
    case linear(heads: [String]? = nil)
    /// Factorisation machine, added to the logits of `heads` (nil for all); of the fields' own embeddings, which are then of one
    /// width, or, with a width, of others.
    case fm(width: Int? = nil, fields: [String]? = nil, heads: [String]? = nil)
    /// Cross network of DCN V2 over all inputs; a rank makes its matrices of low rank.
    case dcn(layers: Int = 3, rank: Int? = nil)
    /// The fields re-weighted.
    case senet(fields: [String]? = nil, reduction: Int = 3)
    /// Bilinear interactions of `pairs` of fields (nil for every two).
    case bilinear(form: Form = .elementwise, fields: [String]? = nil, pairs: [[String]]? = nil)
    /// Bilinear interactions of the fields and of the fields re-weighted.
    case fibinet(form: Form = .elementwise, fields: [String]? = nil, pairs: [[String]]? = nil, reduction: Int = 3)

    public enum Form: String, NamedChoice, Hashable {
        /// `x_i^T W x_j`, one number.
        case product
        /// `x_i * (W x_j)`.
        case elementwise
    }

    /// Whether it is added to logits instead of standing beside the other blocks.
    var isScalar: Bool {
        switch self {
        case .linear, .fm: true
        default: false
        }
    }

    /// Heads to whose logits it is added; nil for all, and for a block that stands beside the others.
    public var heads: [String]? {
        switch self {
        case .linear(let heads), .fm(_, _, let heads): heads
        default: nil
        }
    }
}
