import Foundation

/// What a comparison of rankers found; as JSON or as a table.
public struct RankingTrialReport: Codable, Hashable, Sendable {
    public var data: String
    public var seed: UInt64
    /// Trials that were learned from, and asked about.
    public var trainingRows: Int
    public var heldRows: Int
    public var models: [Entry]
    /// Of an ablation, the variants that this net and these features cannot have.
    public var leftOut: [LeftOut]

    public struct LeftOut: Codable, Hashable, Sendable {
        public var variant: String
        public var reason: String
    }

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
        lines += TrainingReport.table(
            "model", ["parameters", "operations", "epochs", "seconds"],
            models.map { entry in
                let cells = [
                    "\(entry.parameters)", "\(entry.operations)", "\(entry.validationLosses.count)",
                    String(format: "%.1f", entry.seconds),
                ]
                return (entry.frozen.model, cells)
            }, width: 12)
        if !leftOut.isEmpty { lines += [""] + leftOut.map { "left out   \($0.variant): \($0.reason)" } }
        return lines.joined(separator: "\n")
    }

    /// A line a model: AUC of each head among all rows, then GAUC, log loss, ECE and what chance leaves of it of the first, and the fused order's NDCG.
    private static func areas(_ title: String, _ models: [ModelFigures]) -> [String] {
        var heads: [String] = []
        for head in models.flatMap(\.heads) where !heads.contains(head.head) { heads.append(head.head) }
        let rows = models.map { model in
            let cells = heads.map { name in
                let head = model.heads.first { $0.head == name }
                return TrainingReport.share(head?.areaAmongAll ?? head?.areaUnderCurve)
            }
            let first = model.heads.first
            let others = [
                first?.groupedAreaUnderCurve, first?.logLoss, first?.calibrationError,
                first?.calibrationErrorOfChance, model.normalizedGain,
            ].map(TrainingReport.share)
            return (model.model, cells + others)
        }
        let titles = heads + ["GAUC", "log loss", "ECE", "by chance", "NDCG@10"]
        return TrainingReport.table(title, titles, rows, width: 11)
    }
}
