import Catalog
import Evaluation
import Kernels
import Models

/// How well rates tell what happens: of user, item and surface, of each event of a head, among all rows before a split.
struct RateFigures {
    let dataset: Dataset
    let split: TimeSplit
    let heads: [RankerHead]

    /// - Parameter rows: Of the log, trials among the held-back ones.
    func figures(_ rows: [UInt32]) -> ModelFigures {
        let log = dataset.exposures
        let heads = self.heads.filter { $0.action != nil }.map { head in
            var head = head
            head.given = nil
            return head
        }
        var rated = RankerPredictions(heads: heads.count)
        rated.rows = rows
        for (place, head) in heads.enumerated() {
            guard let action = head.action else { continue }
            let model = RateModel(
                exposures: log, rows: split.training, itemCount: dataset.items.count, userCount: dataset.users.count
            ) { Actions(rawValue: log.actions[$0]).isSuperset(of: action) }
            rated.heads[place] = rows.map { row in
                let row = Int(row)
                let logOdds = model.logOdds(
                    user: Int(log.users[row]), item: Int(log.items[row]), surface: Int(log.surfaces[row]))
                return 1 / (1 + exponential(-logOdds))
            }
            rated.labels[place] = rows.map {
                Actions(rawValue: log.actions[Int($0)]).isSuperset(of: action) ? 1 : 0
            }
        }
        let click = heads.firstIndex { $0.name == "click" }
        var figures = RankerEvaluation(log: log, heads: heads).figures(
            "rate model", rated, fused: click.map { rated.heads[$0] })
        // Of a head that is given another's event the rate model knows its rate among all rows only.
        for place in figures.heads.indices
        where self.heads.contains(where: { $0.name == heads[place].name && $0.given != nil }) {
            figures.heads[place].areaAmongAll = figures.heads[place].areaUnderCurve
            figures.heads[place].areaUnderCurve = nil
        }
        return figures
    }
}
