import Catalog
import Kernels

extension Replay {
    /// The examples of `rows` for a ranking model; rows lie at or after everything taken in so far. What an example says of
    /// users and statistics is what was known before it: no event at or after its time.
    ///
    /// - Parameters:
    ///   - encoder: made for the statistics of this replay.
    ///   - updates: What rows change as they pass; see ``examples(_:crossFeatures:updates:presentation:where:)``.
    ///   - presentation: How much is shown of an example's user. Asked once for each example, in order.
    ///   - isAnonymous: Whether its item is shown as one the model has never seen. Asked once for each example, in order.
    ///   - counter: Is told of every value.
    ///   - isIncluded: Rows to make examples of; the others only pass.
    /// - Precondition: the replay was made with the statistics of a ranking model.
    /// - Complexity: O(last-n + features) a row.
    public mutating func rankingExamples(
        _ rows: Range<Int>, encoder: RankingEncoder, updates: Updates = .all,
        presentation: () -> Presentation = { .known }, isAnonymous: () -> Bool = { false },
        counter: FeatureCounter? = nil, where isIncluded: (Int) -> Bool = { _ in true }
    ) -> RankingExamples {
        var examples = RankingExamples(encoder)
        var request = RankingRequest(encoder)
        request.counter = counter
        visit(rows, updates: updates, where: isIncluded) { replay, row in
            guard let statistics = replay.ranking else { preconditionFailure("no statistics of a ranking model") }
            let log = replay.exposures
            request.begin(
                replay.presented(Int(log.users[row]), presentation()), log.scene(of: row), statistics: statistics)
            let item = Int(log.items[row])
            var candidate = RankingCandidate(row: item, columns: encoder.columns)
            candidate.isAnonymous = isAnonymous()
            request.fill([candidate], statistics)
            examples.append(
                request, row: row,
                outcome: RankingOutcome(
                    actions: Actions(rawValue: log.actions[row]), watchSeconds: log.watchSeconds[row],
                    durationSeconds: exponentialMinusOne(candidate.features.logDuration)))
        }
        return examples
    }
}
