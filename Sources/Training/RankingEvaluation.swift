import Catalog
import Evaluation
import Features
import Kernels
import Models

/// Compares the pre-ranker with the rate model on the held-back trials of a log, both fitted on the rows before.
struct RankingEvaluation {
    let dataset: Dataset
    let split: TimeSplit
    let training: PreRankerTraining
    /// The state of the log at the split.
    let replay: Replay

    /// - Returns: nil when no trial was held back.
    func figures() -> RankingFigures? {
        let log = dataset.exposures
        let rates = RateModel(
            exposures: log, rows: split.training, itemCount: dataset.items.count, userCount: dataset.users.count
        ) { Actions(rawValue: log.actions[$0]).contains(.click) }
        guard let frozen = comparison(rates, updates: []), let live = comparison(rates, updates: .users) else {
            return nil
        }
        return RankingFigures(frozen: frozen, live: live)
    }

    private func comparison(_ rates: RateModel, updates: Replay.Updates) -> RankingFigures.Comparison? {
        var replay = replay
        var clicks: [Bool] = []
        var users: [UInt32] = []
        var ranked: [Float] = []
        var rated: [Float] = []
        for piece in split.held.pieces(of: Fitting.stretch) {
            let table = replay.examples(
                piece, crossFeatures: training.model.specification.cross, updates: updates,
                where: dataset.exposures.isTrial)
            ranked += training.probabilities(table)
            for (outcome, row) in zip(table.outcomes, table.rows) {
                let row = Int(row)
                clicks.append(outcome.isClick)
                users.append(dataset.exposures.users[row])
                let logOdds = rates.logOdds(
                    user: Int(dataset.exposures.users[row]), item: Int(dataset.exposures.items[row]),
                    surface: Int(dataset.exposures.surfaces[row]))
                rated.append(1 / (1 + exponential(-logOdds)))
            }
        }
        guard !clicks.isEmpty else { return nil }
        return RankingFigures.Comparison(
            preRanker: ClickFigures(probabilities: ranked, clicks: clicks, users: users),
            rateModel: ClickFigures(probabilities: rated, clicks: clicks, users: users))
    }
}

extension ClickFigures {
    init(probabilities: [Float], clicks: [Bool], users: [UInt32]) {
        self.init(
            rows: clicks.count, clicks: clicks.count { $0 },
            areaUnderCurve: BinaryMetrics.areaUnderCurve(scores: probabilities, labels: clicks),
            groupedAreaUnderCurve: BinaryMetrics.groupedAreaUnderCurve(
                scores: probabilities, labels: clicks, groups: users),
            logLoss: BinaryMetrics.logLoss(probabilities: probabilities, labels: clicks),
            calibrationError: BinaryMetrics.expectedCalibrationError(probabilities: probabilities, labels: clicks),
            calibrationRatio: BinaryMetrics.calibrationRatio(probabilities: probabilities, labels: clicks))
    }
}
