/// What the recall channels that count, or factorise, are built with; the caps bound their work and memory.
public struct RecallSpecification: Codable, Hashable, Sendable {
    public var itemCF = ItemCFSpecification()
    public var swing = SwingSpecification()
    public var userCF = UserCFSpecification()

    public init() {}
}

public struct ItemCFSpecification: Codable, Hashable, Sendable {
    /// Most recently liked items of a user that count.
    public var historyMax = 500
    /// Similar items kept of every item.
    public var neighbours = 10

    public init() {}
}

public struct SwingSpecification: Codable, Hashable, Sendable {
    /// Added to the number of items that two users have in common.
    public var alpha = 1.0
    /// Most recently liked items of a user that count.
    public var historyMax = 500
    /// Users of an item that count; of more, so many are drawn.
    public var usersMax = 2_000
    /// Similar items kept of every item.
    public var neighbours = 10

    public init() {}
}

public struct UserCFSpecification: Codable, Hashable, Sendable {
    /// Most recently liked items of a user that count, and that his neighbours are offered; the last-n of a request has 200.
    public var historyMax = 200
    /// Users of an item that are found through it; of more, so many are drawn.
    public var usersMax = 1_000
    /// Similar users of every user.
    public var neighbours = 50

    public init() {}
}

extension RecallSpecification {
    /// Throws unless the values can be used; the message names the key.
    public func validate() throws(ModelError) {
        try check("itemCF.historyMax", itemCF.historyMax, 1...Self.historyLimit)
        try check("itemCF.neighbours", itemCF.neighbours, 1...1_000)
        try check("swing.alpha", swing.alpha, 1e-6...1e6)
        try check("swing.historyMax", swing.historyMax, 1...Self.historyLimit)
        try check("swing.usersMax", swing.usersMax, 2...Self.usersLimit)
        try check("swing.neighbours", swing.neighbours, 1...1_000)
        try check("userCF.historyMax", userCF.historyMax, 1...Self.historyLimit)
        try check("userCF.usersMax", userCF.usersMax, 1...1_000_000)
        try check("userCF.neighbours", userCF.neighbours, 1...1_000)
    }

    /// Two histories' common items are counted in 16 bits.
    public static let historyLimit = 65_535
    /// Swing keeps a number for each pair of an item's users: 1 GiB a thread at this many.
    public static let usersLimit = 32_768

    private func check<Value: Comparable>(
        _ key: String, _ value: Value, _ range: ClosedRange<Value>
    ) throws(ModelError) {
        guard range.contains(value) else {
            throw ModelError(
                .invalid, "recall.\(key): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
    }
}
