public import Catalog

/// How large a generated world is, and its seed: equal configurations give equal worlds on every machine.
public struct WorldConfiguration: Sendable, Hashable {
    public var users = 10_000
    public var items = 20_000
    /// Showings in the log.
    public var impressions = 1_200_000
    /// Days that the log spans.
    public var days = 28
    public var seed: UInt64 = 1
    /// The first moment of the log: Monday, 5 January 2026, 00:00 UTC.
    public var startMilliseconds: Int64 = 1_767_571_200_000

    public init() {}

    /// Throws unless a world can be made: the limits keep tables of rows and the generator's memory (about 100 bytes a
    /// showing) within a small machine.
    public func validate() throws(CatalogError) {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(CatalogError) {
            guard range.contains(value) else {
                throw CatalogError(
                    .invalidInput, "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
            }
        }
        try check("users", users, 1...10_000_000)
        try check("items", items, 100...10_000_000)
        try check("impressions", impressions, 1...100_000_000)
        try check("days", days, 1...365)
        // A page never repeats an item, nor does the log show one twice to a user.
        guard impressions / users <= items / 4 else {
            throw CatalogError(
                .invalidInput,
                "impressions: \(impressions / users) per user are too many for \(items) items; at most \(items / 4)")
        }
    }

    var endMilliseconds: Int64 { startMilliseconds + Int64(days) * 86_400_000 }
}
