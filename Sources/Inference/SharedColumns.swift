/// Which columns of an input are a request's own, the same in all of its rows: a layer multiplies them once.
///
/// Told anew for each request, from the left; what it holds keeps its memory.
public struct SharedColumns: Sendable {
    /// Neighbouring columns that all rows share, ascending.
    public private(set) var given: [Range<Int>] = []
    /// Those of them that are multiplied apart.
    public private(set) var shared: [Range<Int>] = []
    /// The others, ascending.
    public private(set) var own: [Range<Int>] = []
    /// Columns so far.
    public private(set) var count = 0

    /// Fewer shared columns between others are not worth a product of their own.
    private static let sharedMin = 16

    /// No columns: nothing is shared.
    public static let none = SharedColumns()

    public init() {}

    public mutating func removeAll() {
        given.removeAll(keepingCapacity: true)
        shared.removeAll(keepingCapacity: true)
        own.removeAll(keepingCapacity: true)
        count = 0
    }

    /// The next columns.
    public mutating func append(_ columns: Int, isShared: Bool) {
        guard columns > 0 else { return }
        if !isShared { absorbShort() }
        let range = count..<count + columns
        if isShared {
            Self.append(range, to: &given)
            Self.append(range, to: &shared)
        } else {
            Self.append(range, to: &own)
        }
        count = range.upperBound
    }

    /// A few shared columns before others are multiplied with them.
    private mutating func absorbShort() {
        guard let last = shared.last, last.upperBound == count, last.count < Self.sharedMin else { return }
        shared.removeLast()
        Self.append(last, to: &own)
    }

    private static func append(_ range: Range<Int>, to ranges: inout [Range<Int>]) {
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }
}
