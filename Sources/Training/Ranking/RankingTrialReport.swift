import Foundation

/// What a comparison of rankers found; as JSON or as a table.
public struct RankingTrialReport: Codable, Hashable, Sendable {
    public var data: String
    public var seed: UInt64
    /// Trials that were learned from, and asked about.
    public var trainingRows: Int
    public var heldRows: Int
    public var models: [Entry]

    public struct Entry: Codable, Hashable, Sendable {
        /// See ``RankerFigures``.
        public var frozen: ModelFigures
        public var liveUsers: ModelFigures
        public var live: ModelFigures
        /// After each epoch; training went back to the least.
        public var validationLosses: [Double]
        public var parameters: Int
        /// Floating-point operations for a candidate; 0 where they were not counted.
        public var operations: Int
        public var seconds: Double

        /// `click .7512, like .8012`
        var line: String {
            frozen.heads.map { "\($0.head) \(TrainingReport.share($0.areaAmongAll ?? $0.areaUnderCurve))" }
                .joined(separator: ", ")
        }
    }

    /// As JSON, keys in order.
    public func json() throws -> String { try TrainingReport.json(self) }

    public var text: String {
        var lines = [
            "data       \(data), seed \(seed): \(trainingRows) rows learned from, \(heldRows) held back", "",
        ]
        lines += Self.areas("AUC among all rows, frozen", models.map(\.frozen)) + [""]
        lines += Self.areas("AUC among all rows, live users", models.map(\.liveUsers)) + [""]
        lines += Self.areas("AUC among all rows, live", models.map(\.live)) + [""]
        lines += RankerFigures.table(models.map(\.frozen), title: "frozen") + [""]
        lines.append(TrainingReport.row("model", ["parameters", "operations", "epochs", "seconds"], width: 12))
        for entry in models {
            lines.append(
                TrainingReport.row(
                    entry.frozen.model,
                    [
                        "\(entry.parameters)", "\(entry.operations)", "\(entry.validationLosses.count)",
                        String(format: "%.1f", entry.seconds),
                    ], width: 12))
        }
        return lines.joined(separator: "\n")
    }

    /// A line a model: AUC of each head among all rows, then GAUC, log loss and ECE of the first, and the fused order's NDCG.
    private static func areas(_ title: String, _ models: [ModelFigures]) -> [String] {
        var heads: [String] = []
        for head in models.flatMap(\.heads) where !heads.contains(head.head) { heads.append(head.head) }
        var lines = [TrainingReport.row(title, heads + ["GAUC", "log loss", "ECE", "NDCG@10"], width: 11)]
        for model in models {
            let cells = heads.map { name in
                let head = model.heads.first { $0.head == name }
                return TrainingReport.share(head?.areaAmongAll ?? head?.areaUnderCurve)
            }
            let first = model.heads.first
            lines.append(
                TrainingReport.row(
                    model.model,
                    cells
                        + [
                            first?.groupedAreaUnderCurve, first?.logLoss, first?.calibrationError, model.normalizedGain,
                        ].map(TrainingReport.share), width: 11))
        }
        return lines
    }
}
