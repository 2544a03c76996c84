import Kernels

/// What one search of an index with lists is for.
struct SearchGoal {
    /// `[d]`; unit length when the metric is cosine.
    let query: UnsafePointer<Float>
    let wanted: Int
    let filter: RowFilter?
}

/// Scans lists and keeps the best candidates of a compressed form of the vectors.
protocol ListScan {
    /// Candidates that were good enough to be kept when they came, and not excluded: at least as many as are kept.
    var offered: Int { get }
    /// Those that were good enough, but excluded.
    var excluded: Int { get }

    /// Asks for the beginning of a list to be brought into the cache.
    func ask(for list: Int)

    /// Scans one list.
    ///
    /// - Parameter score: of its centroid.
    mutating func scan(_ list: Int, score: Float, excluding keys: borrowing KeySet)

    /// The positions of the best candidates, in no order, in `scratch.positions`; how many.
    mutating func finish() -> Int
}

extension VectorIndex {
    func search(
        _ lists: InvertedLists, _ goal: SearchGoal, _ excluded: borrowing KeySet, _ scratch: SearchScratch
    ) -> [Scored] {
        let found: Int
        switch lists.compressed {
        case .bytes(let blocks):
            var scan = ByteScan(self, lists, blocks, goal, scratch)
            found = run(&scan, lists, goal, excluded, scratch)
        case .codes(let codes, let rows):
            var scan = CodeScan(self, lists, codes, rows, goal, scratch)
            found = run(&scan, lists, goal, excluded, scratch)
        }
        return scored(positions: scratch.positions.room(found), found, goal, scratch)
    }

    /// Scans lists, nearest first, until as many are through as the depth needs and the best are all there.
    ///
    /// What is excluded near the query pushes the answer further out: leaving out e is searching e deeper, and e once more
    /// because what a search misses of its depth lies at the far end, which is all that is wanted here. Where a filter
    /// allows one in s of the vectors met so far, the search must go s times as deep.
    private func run<Scan: ListScan>(
        _ scan: inout Scan, _ lists: InvertedLists, _ goal: SearchGoal, _ excluded: borrowing KeySet,
        _ scratch: SearchScratch
    ) -> Int {
        var met = Met()
        var needed = report.probes(forDepth: Double(goal.wanted) / share(goal.filter))
        var near = nearestLists(lists, goal.query, limit: needed, scratch)
        var (scanned, place, idle) = (0, 0, 0)
        while scanned < lists.count {
            if scanned >= needed {
                needed = report.probes(forDepth: depth(goal, excluded: scan.excluded, met))
                if scanned >= needed, scan.offered >= goal.wanted { break }
            }
            if place == near {
                near = remainingLists(lists, goal.query, but: near, scratch)
                place = 0
            }
            let list = scratch.near.room(lists.count)[place]
            if place + 1 < near { scan.ask(for: Int(scratch.near.room(lists.count)[place + 1].position)) }
            let before = scan.offered
            scan.scan(Int(list.position), score: list.score, excluding: excluded)
            scanned += 1
            place += 1
            let range = lists.range(Int(list.position))
            let allowed = goal.filter?.count(in: range) ?? range.count
            met = Met(rows: met.rows + range.count, allowed: met.allowed + allowed)
            // A list with few allowed vectors says nothing of those behind it.
            if 2 * allowed < range.count { continue }
            idle = scan.offered - before <= 1 ? idle + 1 : 0
            if report.patience > 0, idle >= report.patience, scan.offered >= goal.wanted { break }
        }
        scratch.scanned += met.rows
        return scan.finish()
    }

    /// Vectors of the lists scanned, and how many of them the filter allows.
    private struct Met {
        var rows = 0
        var allowed = 0
    }

    private func depth(_ goal: SearchGoal, excluded: Int, _ met: Met) -> Double {
        let own = Double(goal.wanted + 2 * excluded)
        return goal.filter == nil ? own : own * Double(met.rows) / Double(max(met.allowed, 1))
    }

    private func share(_ filter: RowFilter?) -> Double {
        guard let filter else { return 1 }
        return max(Double(filter.count), 1) / Double(count)
    }

    /// Scores the candidates exactly and sorts them.
    private func scored(
        positions: UnsafePointer<UInt32>, _ found: Int, _ goal: SearchGoal, _ scratch: SearchScratch
    ) -> [Scored] {
        let scores = scratch.scores.room(found)
        vectors.withUnsafeBufferPointer { vectors in
            guard let matrix = vectors.baseAddress else { return }
            kernels.scoreRows(
                query: goal.query, matrix: matrix, width: dimension, positions: positions, count: found,
                scores: scores)
        }
        let ranked = scratch.ranked.room(found)
        for place in 0..<found { ranked[place] = Ranked(score: scores[place], position: positions[place]) }
        Ranked.sort(ranked, count: found)
        return best(ranked, found, wanted: goal.wanted)
    }

    /// The first `wanted`, equal scores by ascending key.
    private func best(_ ranked: UnsafePointer<Ranked>, _ found: Int, wanted: Int) -> [Scored] {
        // Equal scores at the end belong to the choice.
        var end = min(wanted, found)
        while end > 0, end < found, ranked[end].score == ranked[end - 1].score { end += 1 }
        var result: [Scored] = []
        result.reserveCapacity(end)
        for place in 0..<end {
            let candidate = Scored(score: ranked[place].score, id: keys[Int(ranked[place].position)])
            var hole = result.count
            result.append(candidate)
            while hole > 0, Scored.precedes(candidate, result[hole - 1]) {
                result[hole] = result[hole - 1]
                hole -= 1
            }
            result[hole] = candidate
        }
        result.removeLast(end - min(wanted, found))
        return result
    }
}

extension VectorIndex {
    /// Vectors allowed that cost as much, scored one by one, as the scan of one vector of a list.
    private static let gatherCost = 12

    /// Whether scoring all that is allowed is quicker than searching lists for it.
    func scansAllowed(_ filter: RowFilter, wanted: Int) -> Bool {
        let depth = Double(wanted) / share(filter)
        let scanned = Double(count) * Double(report.probes(forDepth: depth)) / Double(max(report.lists, 1))
        return Double(filter.count * Self.gatherCost) < scanned
    }

    /// Scores all that is allowed.
    func searchAllowed(
        _ filter: RowFilter, _ goal: SearchGoal, _ excluded: borrowing KeySet, _ scratch: SearchScratch
    ) -> [Scored] {
        let positions = scratch.positions.room(filter.count)
        filter.list(into: positions)
        var kept = 0
        for place in 0..<filter.count where !excluded.contains(keys[Int(positions[place])]) {
            positions[kept] = positions[place]
            kept += 1
        }
        if case .codes(_, let rows)? = lists?.compressed {
            kept = rows.keepBest(report.finest(for: goal.wanted), of: kept, scratch)
        }
        return scored(positions: positions, kept, goal, scratch)
    }
}
