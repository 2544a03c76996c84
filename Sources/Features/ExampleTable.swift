import Kernels

/// Training rows with their features, in columns: what ``Replay`` makes of showings.
public struct ExampleTable: Sendable {
    /// `[n]` moments of users.
    public internal(set) var users = UserInputs()
    /// `[n]`, catalogue rows.
    public internal(set) var items: [UInt32] = []
    /// `[n]`, ``FeatureEncoder/age(published:now:)`` of the item at the time of the showing.
    public internal(set) var itemAges: [Float] = []
    /// `[n, crossFeatures]`.
    public internal(set) var cross: [Float] = []
    /// `[n]`, the labels.
    public internal(set) var outcomes: [Outcome] = []
    /// `[n]`, rows of the log.
    public internal(set) var rows: [UInt32] = []

    public init() {}

    public var count: Int { items.count }
}
