import Features
import Networks

/// What is found of a long history before attention looks at it (SIM).
extension ServedHistory {
    /// The candidates of each value of the column by which is searched, one value after the other.
    func attendByValue(
        _ inputs: RankerInputs, _ list: Range<Int>, _ search: RankerSequence.Search, _ scratch: HistoryScratch
    ) {
        guard let searchField, case .categorical(let values) = inputs.fields[searchField] else {
            preconditionFailure("\(specification.name) has no search")
        }
        let members = inputs.histories[index].columns[search.column]
        scratch.groups.begin(values, rows: inputs.count)
        if search.kind == .hard { scratch.groups.index(members, in: list) }
        for group in 0..<scratch.groups.count {
            scratch.groups.rows(of: group, into: &scratch.rows)
            scratch.positions.removeAll(keepingCapacity: true)
            let value = scratch.groups.value(of: group)
            if search.kind == .soft {
                soft(value, members[list], search.limit, scratch)
            } else if value != unknown {
                scratch.groups.behaviours(of: group, limit: search.limit, into: &scratch.positions)
            }
            scratch.movePositions(by: list.lowerBound)
            meet(inputs, scratch)
        }
    }

    /// What one candidate meets of a list: `scratch.positions`.
    func find(_ inputs: RankerInputs, row: Int, _ list: Range<Int>, _ scratch: HistoryScratch) {
        guard let search = specification.search, let searchField else { return scratch.take(positions: list) }
        guard case .categorical(let values) = inputs.fields[searchField] else {
            preconditionFailure("\(specification.name) has no search")
        }
        let members = inputs.histories[index].columns[search.column][list]
        let value = values[values.count == 1 ? 0 : row]
        scratch.positions.removeAll(keepingCapacity: true)
        switch search.kind {
        case .hard:
            HistorySearch.hard(
                category: value, in: members, unknown: unknown, limit: search.limit, appendingTo: &scratch.positions)
        case .soft: soft(value, members, search.limit, scratch)
        }
        scratch.movePositions(by: list.lowerBound)
    }

    private func soft(_ value: UInt32, _ members: ArraySlice<UInt32>, _ limit: Int, _ scratch: HistoryScratch) {
        guard let searchTable else { preconditionFailure("\(specification.name) has no search") }
        HistorySearch.soft(
            candidate: value, in: members, of: searchTable, limit: limit, scores: &scratch.scores,
            appendingTo: &scratch.positions)
    }
}
