public import Networks

/// Rows for a ranking model: fields and sequences in the order of its specification.
///
/// Any of them may be given once, as one row or one list, for all rows: the user's side of many candidates.
public struct RankerInputs: Sendable {
    /// A field of every row.
    public enum Column: Sendable {
        /// `[n]`, rows of the field's table.
        case categorical([UInt32])
        /// n lists of rows of the field's table.
        case multivalued(RaggedRows)
        /// `[n, count]`, row-major.
        case numbers([Float])
    }

    /// A sequence of every row.
    public struct History: Sendable {
        /// For each column of the sequence, `[behaviours]`: rows of its table, newest first, list after list.
        public var columns: [[UInt32]]
        /// `[behaviours]`, `AgeBuckets`; empty when the sequence has no age.
        public var ages: [UInt32]
        /// `[lists + 1]`, ascending from 0 to the number of behaviours.
        public var offsets: [Int]

        public init(columns: [[UInt32]], ages: [UInt32] = [], offsets: [Int]) {
            self.columns = columns
            self.ages = ages
            self.offsets = offsets
        }

        public var count: Int { offsets.count - 1 }
    }

    /// Rows, n.
    public var count: Int
    public var fields: [Column]
    public var histories: [History]

    public init(count: Int, fields: [Column], histories: [History] = []) {
        self.count = count
        self.fields = fields
        self.histories = histories
    }
}
