import Blobs
import Features
import Foundation
import Inference
import Kernels
import Models

/// A ranker ready to ship.
struct TrainedRanker {
    let run: RankerRun
    /// The state of the log after its last row.
    let end: Replay
    /// How its layers are held; nil: all float32.
    let choice: PrecisionChoice?
    /// Rows whose predictions are shipped with it.
    let golden: RankerInputs

    static let goldenRows = 64

    /// - Parameters:
    ///   - examples: Golden rows are taken from.
    ///   - report: gets how it was made.
    init(
        _ run: RankerRun, end: Replay, choice: PrecisionChoice?, examples: RankingExamples,
        _ report: inout TrainingReport
    ) {
        self.run = run
        self.end = end
        self.choice = choice
        let step = max(examples.count / Self.goldenRows, 1)
        golden = examples.inputs(of: stride(from: 0, to: examples.count, by: step).prefix(Self.goldenRows).map { $0 })
        report.rankerMaking = run.makingFigures(choice)
        if !run.headsLeftOut.isEmpty {
            report.notes.append(
                "The log does not have both outcomes of these heads, which the ranker is without: "
                    + run.headsLeftOut.joined(separator: ", ") + ".")
        }
    }

    /// What the ranker process reads, by kind; the golden rows were run by what it runs.
    ///
    /// - Throws: `ModelError.mismatch` when serving would compute other numbers than training.
    func components() throws -> [(kind: String, tensors: SafetensorsWriter)] {
        guard let statistics = end.ranking else { preconditionFailure("a ranker's replay keeps its statistics") }
        let model = try run.component(choice?.precisions)
        let file = try RecallComponents.opened(model)
        let rows = try RankerGolden(golden, of: file)
        try rows.check(RankerNet(file))
        return [
            ("ranker", model), ("ranker-calibration", try run.calibration.writer()),
            ("ranker-golden", try rows.writer()), (RankingStatistics.componentKind, statistics.component()),
        ]
    }
}

extension PrecisionChoice {
    /// `12 of 20 layers in bytes, AUC loss 0.0003`
    var line: String {
        "\(precisions.values.count { $0 == .int8 }) of \(precisions.count) layers in bytes, "
            + String(format: "AUC loss %.4f", loss)
    }
}

extension RankerFigures {
    /// `click .7512 (rate model .7213), like .8012 (...)`
    var line: String {
        let rates = frozen.first { $0.model == "rate model" }?.heads ?? []
        return (frozen.first?.heads ?? []).compactMap { head in
            guard let area = head.areaAmongAll ?? head.areaUnderCurve else { return nil }
            let rate = rates.first { $0.head == head.head }
            let beside = (rate?.areaAmongAll ?? rate?.areaUnderCurve).map {
                " (rate model \(TrainingReport.share($0)))"
            }
            return "\(head.head) \(TrainingReport.share(area))\(beside ?? "")"
        }.joined(separator: ", ")
    }
}
