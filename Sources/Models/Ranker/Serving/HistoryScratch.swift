import Inference
import Networks

/// What a sequence's attention writes for one request.
final class HistoryScratch {
    let request: AttentionRequest?
    /// `[rowsMax, width]`: the result of each row.
    let outputs: UnsafeMutablePointer<Float>
    /// Of a tile.
    let queries: UnsafeMutablePointer<Float>
    let results: UnsafeMutablePointer<Float>
    var groups: CandidateGroups
    /// Candidates that meet the same behaviours, and these.
    var rows: [Int] = []
    var positions: [Int] = []
    var scores: [Float] = []
    /// Rows of a table that are gathered.
    private var indices: [UInt32] = []

    init(_ history: ServedHistory, rowsMax: Int) {
        let attends = history.attention != nil
        request = history.attention.map { AttentionRequest($0, keysMax: history.keysMax) }
        outputs = .allocate(capacity: attends ? rowsMax * history.width : 0)
        queries = .allocate(capacity: Tile.rows * history.queryWidth)
        results = .allocate(capacity: attends ? Tile.rows * history.width : 0)
        let searches = history.specification.search != nil
        groups = CandidateGroups(
            rowsMax: searches ? rowsMax : 0, length: searches ? history.specification.length : 0)
        guard attends else { return }
        rows.reserveCapacity(rowsMax)
        positions.reserveCapacity(history.keysMax)
        indices.reserveCapacity(max(history.keysMax, Tile.rows))
        if searches { scores.reserveCapacity(history.specification.length + history.keysMax) }
    }

    deinit {
        for memory in [outputs, queries, results] { memory.deallocate() }
    }

    func take(rows range: Range<Int>) {
        rows.removeAll(keepingCapacity: true)
        rows.append(contentsOf: range)
    }

    func take(positions range: Range<Int>) {
        positions.removeAll(keepingCapacity: true)
        positions.append(contentsOf: range)
    }

    /// Copies the rows of a table that a column has at `places`.
    func gather(
        _ column: [UInt32], _ places: ArraySlice<Int>, of table: EmbeddingTable, to target: UnsafeMutablePointer<Float>,
        stride: Int
    ) {
        indices.removeAll(keepingCapacity: true)
        for place in places { indices.append(column[place]) }
        indices.withUnsafeBufferPointer { table.gather($0, to: target, stride: stride) }
    }

    /// From places in a list to places in all lists.
    func movePositions(by start: Int) {
        guard start > 0 else { return }
        for index in positions.indices { positions[index] += start }
    }
}
