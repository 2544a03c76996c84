public import Features

/// What a ranking model is made of: its inputs, how they are crossed, what its tasks share, and its heads. Read from JSON;
/// see `init(json:path:)`.
public struct RankerSpecification: Codable, Hashable, Sendable {
    /// Embedding tables by name. How many rows each has is the data's to say.
    public var tables: [String: RankerTable]
    /// Inputs that are one value, one list or some numbers for each row.
    public var fields: [RankerField]
    /// Behaviours of the user, newest first.
    public var sequences: [RankerSequence]
    /// Blocks side by side over the inputs.
    public var crossings: [RankerCrossing]
    /// The deep net beside them; nil for none.
    public var deep: RankerDeepNet?
    /// Gates that features of the user set in the deep net and in the towers (LHUC, PPNet); nil for none.
    public var personal: RankerPersonalGates?
    /// What the tasks share.
    public var shared: RankerSharing
    public var heads: [RankerHead]
    /// Rows that training leaves out; nil for none.
    public var negatives: RankerNegatives?

    public init(
        tables: [String: RankerTable], fields: [RankerField], sequences: [RankerSequence] = [],
        crossings: [RankerCrossing] = [], deep: RankerDeepNet? = nil, personal: RankerPersonalGates? = nil,
        shared: RankerSharing = .none, heads: [RankerHead], negatives: RankerNegatives? = nil
    ) {
        self.tables = tables
        self.fields = fields
        self.sequences = sequences
        self.crossings = crossings
        self.deep = deep
        self.personal = personal
        self.shared = shared
        self.heads = heads
        self.negatives = negatives
    }
}

public struct RankerTable: Codable, Hashable, Sendable {
    /// Columns of an embedding.
    public var width: Int
    /// Whether row 0, the unknown value, is zero and stays zero.
    public var padding: Bool

    public init(width: Int, padding: Bool = true) {
        self.width = width
        self.padding = padding
    }
}

public struct RankerField: Codable, Hashable, Sendable {
    public enum Kind: String, NamedChoice, Hashable {
        /// A row of a table.
        case categorical
        /// A list of rows of a table, pooled.
        case multivalued
        /// Numbers, as they come.
        case numeric
    }

    public enum Pooling: String, NamedChoice, Hashable {
        case mean
        case sum
    }

    public var name: String
    public var kind: Kind
    /// Where the embeddings are; nil for the table of the field's name. Not for numbers.
    public var table: String?
    /// Of a multi-valued field.
    public var pooling: Pooling
    /// Numbers of a numeric field.
    public var count: Int

    public init(_ name: String, _ kind: Kind, table: String? = nil, pooling: Pooling = .mean, count: Int = 1) {
        self.name = name
        self.kind = kind
        self.table = table
        self.pooling = pooling
        self.count = count
    }

    var tableName: String { table ?? name }
}

/// A list of behaviours, and how it becomes one row for a candidate.
public struct RankerSequence: Codable, Hashable, Sendable {
    /// What is told of each behaviour.
    public struct Column: Codable, Hashable, Sendable {
        /// The table of its embeddings.
        public var table: String
        /// The candidate's categorical field it is compared with; nil when only the behaviour has it.
        public var query: String?

        public init(table: String, query: String? = nil) {
            self.table = table
            self.query = query
        }
    }

    public enum Form: String, NamedChoice, Hashable {
        /// The mean; the candidate plays no part.
        case mean
        /// DIN's layers over `[q, k, q - k, q * k]`.
        case layers
        /// Scaled dot products with a softmax.
        case dot
    }

    /// How a few behaviours are found in a long list (SIM), before attention looks at them.
    public struct Search: Codable, Hashable, Sendable {
        public enum Kind: String, NamedChoice, Hashable {
            /// The same value of the column as the candidate's.
            case hard
            /// The nearest embeddings of the column.
            case soft
        }

        public var kind: Kind
        /// Position of the column by which is searched.
        public var column: Int
        /// Behaviours that are kept.
        public var limit: Int

        public init(_ kind: Kind, column: Int, limit: Int = 100) {
            self.kind = kind
            self.column = column
            self.limit = limit
        }
    }

    public var name: String
    public var columns: [Column]
    public var form: Form
    /// Hidden layers of the attention; for `dot`, the width in which queries and keys meet.
    public var hidden: [Int]
    /// Columns of the embedding of a behaviour's age; 0 for none.
    public var ageWidth: Int
    /// Behaviours that are looked at, the newest.
    public var length: Int
    public var search: Search?

    public init(
        _ name: String, columns: [Column], form: Form, hidden: [Int] = [36], ageWidth: Int = 0, length: Int = 50,
        search: Search? = nil
    ) {
        self.name = name
        self.columns = columns
        self.form = form
        self.hidden = hidden
        self.ageWidth = ageWidth
        self.length = length
        self.search = search
    }
}

public struct RankerDeepNet: Codable, Hashable, Sendable {
    public enum Normalization: String, NamedChoice, Hashable {
        case none
        case batch
        case layer
    }

    /// Outputs of each layer, ReLU after all of them.
    public var widths: [Int]
    /// Of the inputs of each layer but the first.
    public var dropout: Float
    /// Before each ReLU.
    public var normalization: Normalization

    public init(widths: [Int], dropout: Float = 0, normalization: Normalization = .none) {
        self.widths = widths
        self.dropout = dropout
        self.normalization = normalization
    }
}

public struct RankerPersonalGates: Codable, Hashable, Sendable {
    /// Fields that decide the gates.
    public var fields: [String]
    /// Outputs of the gates' hidden layer.
    public var hidden: Int
    /// Whether the layers of the deep net are gated.
    public var deep: Bool
    /// Whether the hidden layers of the heads' towers are gated.
    public var towers: Bool

    public init(fields: [String], hidden: Int = 32, deep: Bool = true, towers: Bool = false) {
        self.fields = fields
        self.hidden = hidden
        self.deep = deep
        self.towers = towers
    }
}

/// What the tasks share before their towers.
public enum RankerSharing: Hashable, Sendable {
    /// Towers start from the blocks' outputs.
    case none
    /// One net for all.
    case bottom(widths: [Int])
    /// Multi-gate mixture of experts.
    case mmoe(experts: Int, widths: [Int], gateDropout: Float = 0.1)
    /// Progressive layered extraction: experts of each task and shared ones, at each level.
    case ple(own: Int, shared: Int, levels: [[Int]], gateDropout: Float = 0.1)
}

public struct RankerHead: Codable, Hashable, Sendable {
    public enum Kind: String, NamedChoice, Hashable {
        /// Whether something happened; predicts its probability.
        case binary
        /// Seconds watched, 0 for what was not played; weighted logistic regression, predicts seconds.
        case watchTime = "watch_time"
        /// Played fraction in 0...1, by cross-entropy; predicts the fraction.
        case finish
        /// Whether the played fraction is above the threshold; predicts its probability.
        case finishAbove = "finish_above"
    }

    public var name: String
    public var kind: Kind
    /// Of its loss in the sum.
    public var weight: Float
    /// Hidden layers; the output layer follows.
    public var tower: [Int]
    /// Head without whose event a row says nothing of this one: a like follows a click. nil for every row.
    public var given: String?
    /// Of the played fraction, for `finish_above`.
    public var threshold: Float

    public init(
        _ name: String, _ kind: Kind, weight: Float = 1, tower: [Int] = [], given: String? = nil,
        threshold: Float = 0.8
    ) {
        self.name = name
        self.kind = kind
        self.weight = weight
        self.tower = tower
        self.given = given
        self.threshold = threshold
    }
}

/// Negative down-sampling: of the rows without the event of a head, training keeps this share. What the head predicts is
/// corrected for it; heads given it see only rows that are all there; other heads weigh the rows that were kept by
/// 1 / rate.
public struct RankerNegatives: Codable, Hashable, Sendable {
    public var head: String
    public var rate: Float

    public init(head: String, rate: Float) {
        self.head = head
        self.rate = rate
    }
}
