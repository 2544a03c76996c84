import Kernels

/// What one thread needs to find Swing's similar items of one item after another.
///
/// The item's users are numbered 0..<n. Every item they like lists its users among them, ascending. One pass over the lists
/// counts what each pair of users has in common; a second adds 1 / (alpha + common) for each pair of each list.
struct SwingLane {
    private let histories: SparseRows
    /// The histories without the items of whose draw the user is not; nil when all users of all items are drawn.
    private let drawn: SparseRows?
    private let users: SparseRows
    /// By what two users have in common: 1 / (alpha + common).
    private let weights: [Double]
    private var lists: LocalLists
    private var drawnLists: LocalLists
    /// Common items of users a > b at a (a - 1) / 2 + b.
    private var common: [UInt16] = []
    private var top: TopK

    init(
        histories: SparseRows, drawn: SparseRows?, users: SparseRows, alpha: Double, historyMax: Int, neighbours: Int
    ) {
        self.histories = histories
        self.drawn = drawn
        self.users = users
        weights = (0...historyMax).map { 1 / (alpha + Double($0)) }
        lists = LocalLists(items: users.rows)
        drawnLists = LocalLists(items: drawn == nil ? 0 : users.rows)
        top = TopK(neighbours)
    }

    mutating func neighbours(of item: Int) -> [NeighbourLists.Neighbour] {
        let own = users.range(item)
        guard own.count > 1 else { return [] }
        users.columns.withUnsafeBufferPointer { columns in
            let own = UnsafeBufferPointer(rebasing: columns[own])
            lists.fill(users: own, histories)
            if let drawn { drawnLists.fill(users: own, drawn) }
        }
        countCommon(users: own.count, but: item)
        if drawn == nil { offer(lists, but: item) } else { offer(drawnLists, but: item) }
        return top.take().map { .init(row: Int($0.id), similarity: $0.score) }
    }

    /// - Complexity: O(sum over lists of users^2).
    private mutating func countCommon(users count: Int, but item: Int) {
        let pairs = count * (count - 1) / 2
        if common.count < pairs { common = [UInt16](repeating: 0, count: pairs) }
        common.withUnsafeMutableBufferPointer { common in
            // All of them like the item itself.
            for pair in 0..<pairs { common[pair] = 1 }
            for list in 0..<lists.count where lists.item(of: list) != item {
                lists.withUsers(of: list) { users in
                    for place in users.indices.dropFirst() {
                        let row = Self.pairs(before: users[place])
                        for other in 0..<place { common[row + Int(users[other])] &+= 1 }
                    }
                }
            }
        }
    }

    private mutating func offer(_ lists: borrowing LocalLists, but item: Int) {
        for list in 0..<lists.count where lists.item(of: list) != item {
            let sum = lists.withUsers(of: list, sum)
            if sum > 0 { top.offer(score: Float(2 * sum), id: UInt64(lists.item(of: list))) }
        }
    }

    /// Of the pairs of some users, each once.
    private func sum(_ users: UnsafeBufferPointer<UInt32>) -> Double {
        common.withUnsafeBufferPointer { common in
            weights.withUnsafeBufferPointer { weights in
                var sum = 0.0
                for place in users.indices.dropFirst() {
                    let row = Self.pairs(before: users[place])
                    for other in 0..<place { sum += weights[Int(common[row + Int(users[other])])] }
                }
                return sum
            }
        }
    }

    private static func pairs(before user: UInt32) -> Int {
        Int(user) * (Int(user) - 1) / 2
    }
}

/// The items that some users like, each with the numbers of its users, ascending.
private struct LocalLists {
    /// Items in the order in which they were first met.
    private var items: [UInt32] = []
    /// `[items + 1]`.
    private var offsets: [Int] = []
    private var numbers: [UInt32] = []
    /// By item of the catalogue: users, then where the next one goes; 0 between calls.
    private var slots: [Int]

    init(items: Int) {
        slots = [Int](repeating: 0, count: items)
    }

    var count: Int { items.count }

    func item(of list: Int) -> Int { Int(items[list]) }

    func withUsers<Result>(of list: Int, _ body: (UnsafeBufferPointer<UInt32>) -> Result) -> Result {
        numbers.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[offsets[list]..<offsets[list + 1]])) }
    }

    /// - Complexity: O(sum of the histories).
    mutating func fill(users: UnsafeBufferPointer<UInt32>, _ histories: SparseRows) {
        items.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        for user in users {
            for entry in histories.range(Int(user)) {
                let item = histories.columns[entry]
                if slots[Int(item)] == 0 { items.append(item) }
                slots[Int(item)] += 1
            }
        }
        var total = 0
        for item in items {
            offsets.append(total)
            total += slots[Int(item)]
            slots[Int(item)] = offsets[offsets.count - 1]
        }
        offsets.append(total)
        if numbers.count < total { numbers = [UInt32](repeating: 0, count: total) }
        for (number, user) in users.enumerated() {
            for entry in histories.range(Int(user)) {
                let item = Int(histories.columns[entry])
                numbers[slots[item]] = UInt32(number)
                slots[item] += 1
            }
        }
        for item in items { slots[Int(item)] = 0 }
    }
}
