import Kernels
import Synchronization

import func Glibc.log

extension VectorIndex {
    /// Chooses how far a search looks, and measures what it then finds.
    ///
    /// The choice comes from one half of the queries; where the other half finds less than the target, searches look a tenth
    /// further until it does not, so that what is stated was reached on queries that did not choose.
    mutating func tune(_ queries: HeldOutQueries, options: VectorIndexOptions) throws(VectorIndexError) {
        guard let lists else { return }
        let threads = Threads(max(1, options.threads))
        let deeper = min(report.depth * 10, count)
        let truth = trueBest(queries.choosing, depth: deeper, threads: threads)
        let needed = probesReaching(options.targetRecall, lists, queries.choosing, truth, report.depth, threads)
        let neededDeeper = probesReaching(options.targetRecall, lists, queries.choosing, truth, deeper, threads)
        report.probeGrowth = Self.exponent(from: (report.depth, needed), to: (deeper, neededDeeper))
        choose(queries.choosing, truth, atLeast: needed, lists, options: options, threads)
        let measured = trueBest(queries.measuring, depth: report.depth, threads: threads)
        report.queries = queries.measuring.count
        report.recall = measure(queries.measuring, truth: measured, threads: threads).recall
        while report.recall < report.targetRecall, options.probes == nil, report.widen() {
            report.recall = measure(queries.measuring, truth: measured, threads: threads).recall
        }
        guard report.recall >= report.targetRecall else {
            throw VectorIndexError(
                .recallBelowTarget,
                "recall@\(report.depth) is \(report.recall), below the target \(report.targetRecall): "
                    + "\(report.probes) of \(lists.count) lists searched, \(count) vectors, "
                    + "\(queries.measuring.count) queries")
        }
    }

    /// Chooses the lists searched, the vectors scored again and the patience that reach the target at the least cost.
    ///
    /// The more vectors are scored again, and the later a search gives up, the fewer lists it takes. Costs are counted, not
    /// timed: a build is repeatable.
    private mutating func choose(
        _ queries: [SharedBuffer<Float>], _ truth: [[Scored]], atLeast needed: Int, _ lists: InvertedLists,
        options: VectorIndexOptions, _ threads: Threads
    ) {
        var best: (cost: Double, report: IndexReport)?
        for (patience, rerank) in Self.patienceChoices.flatMap({ patience in
            report.kind.rerankChoices.map { (patience, $0) }
        }) {
            (report.patience, report.rerank) = (patience, rerank)
            report.probes = min(options.probes ?? needed, lists.count)
            var (found, cost) = measure(queries, truth: truth, threads: threads)
            while found < report.targetRecall, options.probes == nil, report.probes < lists.count,
                cost < best?.cost ?? .infinity
            {
                report.probes = min(lists.count, report.probes + max(1, report.probes / 8))
                let before = found
                (found, cost) = measure(queries, truth: truth, threads: threads)
                // Searches give up before they come to the lists added.
                if found <= before, patience > 0 { break }
            }
            if found >= report.targetRecall, cost < best?.cost ?? .infinity { best = (cost, report) }
        }
        // Where nothing reaches it, the last choice is the most thorough.
        if let best { report = best.report }
    }

    /// 0: never give up.
    private static let patienceChoices = [6, 16, 0]

    /// a of probes = c depth^a through two measured points, 0...1.
    private static func exponent(from low: (depth: Int, probes: Int), to high: (depth: Int, probes: Int)) -> Double {
        guard high.depth > low.depth, high.probes > low.probes else { return 0 }
        return min(1, log(Double(high.probes) / Double(low.probes)) / log(Double(high.depth) / Double(low.depth)))
    }

    /// The fewest lists that hold the wanted share of the true best, over all queries together.
    private func probesReaching(
        _ wanted: Double, _ lists: InvertedLists, _ queries: [SharedBuffer<Float>], _ truth: [[Scored]], _ depth: Int,
        _ threads: Threads
    ) -> Int {
        let listOfRow = listOfRow(lists)
        let found = Mutex([Int](repeating: 0, count: lists.count))
        threads.forEach(0..<queries.count, state: SearchScratch.init) { scratch, query in
            scratch.bytes.fill(queries[query].address, width: dimension)
            _ = nearestLists(lists, queries[query].address, limit: lists.count, scratch)
            let near = scratch.near.room(lists.count)
            var placeOfList = [Int](repeating: 0, count: lists.count)
            for place in 0..<lists.count { placeOfList[Int(near[place].position)] = place }
            found.withLock { found in
                for row in truth[query].prefix(depth) { found[placeOfList[Int(listOfRow[Int(row.id)])]] += 1 }
            }
        }
        let total = truth.reduce(0) { $0 + min($1.count, depth) }
        var sum = 0
        for (place, hits) in found.withLock({ $0 }).enumerated() {
            sum += hits
            if Double(sum) >= wanted * Double(total) { return place + 1 }
        }
        return lists.count
    }
}

extension IndexReport {
    /// Vectors scored again for each one wanted, and patience, beyond which a search is not widened.
    private static let (rerankMax, patienceMax) = (20.0, 64)

    /// Lets searches look a tenth further in every respect: lists, vectors scored again, patience.
    ///
    /// - Returns: whether there was anything left to widen.
    fileprivate mutating func widen() -> Bool {
        let before = self
        probes = min(lists, probes + max(1, probes / 10))
        rerank = max(rerank, min(rerank * 1.1, Self.rerankMax))
        if patience > 0 { patience += max(1, patience / 10) }
        if patience > Self.patienceMax { patience = 0 }
        return self != before
    }
}

extension IndexKind {
    /// Vectors scored again for each one wanted, of which a build chooses.
    fileprivate var rerankChoices: [Double] {
        switch self {
        case .exact: []
        case .bytes: [1.1, 1.3, 1.7, 2.5]
        case .codes: [2, 3, 4, 6, 9, 14]
        }
    }
}
