/// The candidates of a request by the value they are searched by in a history, and with each value its behaviours: what is
/// found for a value is found for all of its candidates.
///
/// Made once, filled for each request without allocation.
struct CandidateGroups {
    /// A value and its chains, -1 where they end.
    private struct Group {
        var value: UInt32
        var row: Int32 = -1
        var behaviour: Int32 = -1
    }

    private var groups: [Group] = []
    /// Group of a value by its hash, -1 for none: open addressing.
    private var slots: [Int32]
    private let shift: UInt32
    /// The next row, or behaviour, of the same value.
    private var nextRow: [Int32]
    private var nextBehaviour: [Int32]

    /// - Parameters:
    ///   - rowsMax: Candidates of a request.
    ///   - length: Behaviours of a history.
    init(rowsMax: Int, length: Int) {
        var bits: UInt32 = 4
        while 1 << bits < 2 * rowsMax { bits += 1 }
        slots = Array(repeating: -1, count: 1 << bits)
        shift = 32 - bits
        nextRow = Array(repeating: -1, count: rowsMax)
        nextBehaviour = Array(repeating: -1, count: length)
        groups.reserveCapacity(rowsMax)
    }

    var count: Int { groups.count }

    func value(of group: Int) -> UInt32 { groups[group].value }

    /// Takes in the values of a request's candidates; one for all of them, or one for each.
    ///
    /// - Complexity: O(rows + slots).
    mutating func begin(_ values: [UInt32], rows: Int) {
        groups.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = -1 }
        // From the end, so that chains ascend.
        for row in (0..<rows).reversed() {
            let value = values[values.count == 1 ? 0 : row]
            let slot = slot(of: value)
            if slots[slot] < 0 {
                slots[slot] = Int32(groups.count)
                groups.append(Group(value: value))
            }
            let group = Int(slots[slot])
            nextRow[row] = groups[group].row
            groups[group].row = Int32(row)
        }
    }

    /// Takes in the values of a history, of which `range` is looked at.
    ///
    /// - Complexity: O(range.count).
    mutating func index(_ history: [UInt32], in range: Range<Int>) {
        for position in range.reversed() {
            let group = Int(slots[slot(of: history[position])])
            guard group >= 0 else { continue }
            nextBehaviour[position - range.lowerBound] = groups[group].behaviour
            groups[group].behaviour = Int32(position - range.lowerBound)
        }
    }

    /// The rows of a group, ascending.
    func rows(of group: Int, into rows: inout [Int]) {
        rows.removeAll(keepingCapacity: true)
        var row = groups[group].row
        while row >= 0 {
            rows.append(Int(row))
            row = nextRow[Int(row)]
        }
    }

    /// The first behaviours of a group's value, counted from the start of the range that was indexed.
    func behaviours(of group: Int, limit: Int, into found: inout [Int]) {
        var position = groups[group].behaviour
        while position >= 0, found.count < limit {
            found.append(Int(position))
            position = nextBehaviour[Int(position)]
        }
    }

    /// Where the value is, or would be.
    private func slot(of value: UInt32) -> Int {
        var slot = Int((value &* 0x9E37_79B1) >> shift)
        while slots[slot] >= 0, groups[Int(slots[slot])].value != value { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }
}
