import Catalog
import Evaluation
import Features
import Kernels
import Models
import Networks

/// Measures heads on held-back trials.
struct RankerEvaluation {
    let log: ExposureTable
    let heads: [RankerHead]

    /// Positions of the fused order that its gain counts.
    private static let gainDepth = 10

    /// - Parameters:
    ///   - fused: `[n]`, what the rows would be ordered by; nil leaves the gain out.
    func figures(_ model: String, _ predictions: RankerPredictions, fused: [Float]? = nil) -> ModelFigures {
        let users = predictions.rows.map { log.users[Int($0)] }
        let gain = fused.flatMap { scores in
            RetrievalMetrics.normalizedGain(
                scores: scores,
                gains: predictions.rows.map { Actions(rawValue: log.actions[Int($0)]).interest }, groups: users,
                at: Self.gainDepth)
        }
        return ModelFigures(
            model: model, heads: heads.indices.map { figures(head: $0, predictions, users) }, normalizedGain: gain)
    }

    /// The heads of rows by what they are of.
    func segments(_ predictions: RankerPredictions, training: Range<Int>, items: Int) -> [SegmentFigures] {
        var shown: Set<UInt32> = []
        for row in training where log.isTrial(row) { shown.insert(log.users[row]) }
        let catalogue = CatalogueFigures(log, training: Array(training), items: items)
        let segments: [(String, (Int) -> Bool)] = [
            ("new users", { !shown.contains(log.users[$0]) }), ("known users", { shown.contains(log.users[$0]) }),
            ("head items", { catalogue.isHead[Int(log.items[$0])] }),
            ("tail items", { !catalogue.isHead[Int(log.items[$0])] }),
        ]
        return segments.flatMap { name, isIncluded in
            let part = predictions.subset(predictions.rows.indices.filter { isIncluded(Int(predictions.rows[$0])) })
            return figures(name, part).heads.filter { $0.rows > 0 }.map { SegmentFigures(segment: name, figures: $0) }
        }
    }

    private func figures(head place: Int, _ predictions: RankerPredictions, _ users: [UInt32]) -> HeadFigures {
        let head = heads[place]
        let rows = predictions.told(head, of: heads)
        let (values, labels) = (rows.map { predictions.heads[place][$0] }, rows.map { predictions.labels[place][$0] })
        var figures = HeadFigures(head: head.name, rows: rows.count, positives: labels.count { $0 > 0 })
        guard head.isPositive(0) != nil else {
            let happened = labels.reduce(0.0) { $0 + Double($1) }
            figures.calibrationRatio = happened > 0 ? values.reduce(0.0) { $0 + Double($1) } / happened : nil
            let errors = zip(values, labels).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
            figures.meanAbsoluteError = rows.isEmpty ? nil : errors / Double(rows.count)
            figures.areaUnderCurve = BinaryMetrics.areaUnderCurve(scores: values, labels: labels.map { $0 > 0 })
            return figures
        }
        let happened = labels.map { head.isPositive($0) ?? false }
        figures.positives = happened.count { $0 }
        figures.areaUnderCurve = BinaryMetrics.areaUnderCurve(scores: values, labels: happened)
        figures.groupedAreaUnderCurve = BinaryMetrics.groupedAreaUnderCurve(
            scores: values, labels: happened, groups: rows.map { users[$0] })
        figures.logLoss = BinaryMetrics.logLoss(probabilities: values, labels: happened)
        figures.calibrationError = BinaryMetrics.expectedCalibrationError(probabilities: values, labels: happened)
        figures.calibrationErrorOfChance = BinaryMetrics.calibrationErrorOfChance(probabilities: values)
        figures.calibrationRatio = BinaryMetrics.calibrationRatio(probabilities: values, labels: happened)
        figures.areaAmongAll = areaAmongAll(head, place, predictions)
        return figures
    }

    private func areaAmongAll(_ head: RankerHead, _ place: Int, _ predictions: RankerPredictions) -> Double? {
        guard let given = head.given, let condition = heads.firstIndex(where: { $0.name == given }) else { return nil }
        return BinaryMetrics.areaUnderCurve(
            scores: zip(predictions.heads[place], predictions.heads[condition]).map { $0 * $1 },
            labels: predictions.labels[place].map { head.isPositive($0) ?? false })
    }
}

extension RankerPredictions {
    func subset(_ places: [Int]) -> RankerPredictions {
        var result = RankerPredictions()
        result.heads = heads.map { values in places.map { values[$0] } }
        result.labels = labels.map { values in places.map { values[$0] } }
        result.rows = places.map { rows[$0] }
        return result
    }
}

extension GateFigures {
    init(_ statistics: GateStatistics) {
        let report = statistics.report
        self.init(
            evenness: report.evenness, meanWeights: report.meanWeights, deadExperts: report.deadExperts())
    }
}
