import Catalog
import Features
import Kernels
import Models

/// Whether a log teaches a head: both outcomes occur among its trials.
struct LearnableHeads {
    private let log: ExposureTable
    private let rows: Range<Int>
    private let hasDurations: Bool

    init(_ dataset: Dataset, _ rows: Range<Int>) {
        log = dataset.exposures
        self.rows = rows
        hasDurations = dataset.items.durations.contains { $0 > 0 }
    }

    func contains(_ head: RankerHead) -> Bool {
        switch head.kind {
        case .binary: head.action.map(isLearned) ?? false
        case .watchTime: rows.contains { log.isTrial($0) && log.watchSeconds[$0] > 0 }
        case .finish, .finishAbove: hasDurations && rows.contains { log.isTrial($0) && log.watchSeconds[$0] > 0 }
        }
    }

    private func isLearned(_ action: Actions) -> Bool {
        var (happened, others) = (false, false)
        for row in rows where log.isTrial(row) {
            if Actions(rawValue: log.actions[row]).isSuperset(of: action) { happened = true } else { others = true }
            if happened, others { return true }
        }
        return false
    }
}
