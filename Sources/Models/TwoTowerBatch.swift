public import Features

/// Clicks to learn from at once, and what they stand against.
public struct TwoTowerBatch: Sendable {
    /// `[n]`, who clicked.
    public var users: UserInputs
    /// `[m]`: the n items that were clicked, in the users' order, then `shared` ones that stand against every user, then
    /// others.
    public var items: ItemInputs
    public var shared: Int
    /// Whether the others' clicked items stand against a user; listwise loss only.
    public var isInBatch: Bool
    /// `[m]`, log of how likely each item is where it stands; subtracted from its logits. Empty: nothing is. Listwise only.
    public var logProbabilities: [Float]
    /// `[n, ownCount]`, row-major: rows of ``items`` that stand against this user alone; nil where there is none.
    public var own: [UInt32?]
    public var ownCount: Int
    /// `[n, ownCount]`, log of how many negatives each stands for. Empty: each for one. Listwise only.
    public var ownLogWeights: [Float]

    public init(
        users: UserInputs, items: ItemInputs, shared: Int = 0, isInBatch: Bool = true, logProbabilities: [Float] = [],
        own: [UInt32?] = [], ownCount: Int = 0, ownLogWeights: [Float] = []
    ) {
        precondition(items.count >= users.count + shared, "an item for every user, and the shared ones")
        precondition(own.count == users.count * ownCount, "as many own negatives, or nils, for each user")
        precondition([0, items.count].contains(logProbabilities.count), "a probability for every item")
        precondition([0, own.count].contains(ownLogWeights.count), "a weight for every own negative")
        self.users = users
        self.items = items
        self.shared = shared
        self.isInBatch = isInBatch
        self.logProbabilities = logProbabilities
        self.own = own
        self.ownCount = ownCount
        self.ownLogWeights = ownLogWeights
    }

    /// Clicks.
    public var count: Int { users.count }

    /// The `place`-th own negative of each user.
    func own(_ place: Int) -> [UInt32?] {
        (0..<count).map { own[$0 * ownCount + place] }
    }
}
