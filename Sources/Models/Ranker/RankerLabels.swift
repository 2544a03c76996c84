/// What became of rows, in the order of the heads.
public struct RankerLabels: Sendable {
    /// For each head, `[n]`: 0 or 1; seconds for `watch_time`; the played fraction for `finish` and `finish_above`.
    public var values: [[Float]]

    public init(_ values: [[Float]]) {
        self.values = values
    }
}
