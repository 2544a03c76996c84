import Foundation

extension RankerFigures {
    /// Tables for people: heads by model and by what is known of the held-back rows, then segments.
    var lines: [String] {
        var lines: [String] = []
        for (name, models) in [("frozen", frozen), ("live users", liveUsers), ("live", live)] where !models.isEmpty {
            lines += Self.table(models, title: "ranking, \(name)") + [""]
        }
        if !segments.isEmpty {
            lines += TrainingReport.table(
                "ranker, live, by segment", HeadFigures.titles,
                segments.map { ("\($0.segment), \($0.figures.head)", $0.figures.cells) }, width: 11)
            lines.append("")
        }
        if let gates { lines += gates.lines }
        if !features.isEmpty {
            lines.append("")
            lines += TrainingReport.table(
                "feature", ["covers", "unknown", "drift"],
                features.map { ($0.feature, [$0.coverage, $0.unknownShare, $0.drift].map(TrainingReport.share)) },
                width: 11)
        }
        return lines
    }

    static func table(_ models: [ModelFigures], title: String) -> [String] {
        let rows = models.flatMap { model in model.heads.map { ("\(model.model), \($0.head)", $0.cells) } }
        var lines = TrainingReport.table(title, HeadFigures.titles, rows, width: 11)
        let gains = models.compactMap { model in
            model.normalizedGain.map { "\(model.model) \(TrainingReport.share($0))" }
        }
        if !gains.isEmpty { lines.append("NDCG@10 of the fused order: " + gains.joined(separator: ", ")) }
        return lines
    }
}

extension HeadFigures {
    static let titles = [
        "rows", "with it", "AUC", "among all", "GAUC", "log loss", "ECE", "by chance", "sum p/y", "mean error",
    ]

    var cells: [String] {
        ["\(rows)", "\(positives)"]
            + [
                areaUnderCurve, areaAmongAll, groupedAreaUnderCurve, logLoss, calibrationError,
                calibrationErrorOfChance, calibrationRatio, meanAbsoluteError,
            ].map(TrainingReport.share)
    }
}

extension GateFigures {
    var lines: [String] {
        let even = evenness.map { String(format: "%.2f", $0) }.joined(separator: ", ")
        let dead = deadExperts.isEmpty ? "none" : deadExperts.map(String.init).joined(separator: ", ")
        return ["gates      evenness by gate \(even); experts that no gate uses: \(dead)"]
    }
}

extension RankerMakingFigures {
    var line: String {
        let left = headsLeftOut.isEmpty ? "" : "; heads without both outcomes: \(headsLeftOut.joined(separator: ", "))"
        return
            "ranker     \(parameters) parameters, \(operations) operations a candidate, \(byteLayers) of \(layers) layers "
            + String(format: "in bytes (AUC loss %.4f)", byteLoss) + left
    }
}
