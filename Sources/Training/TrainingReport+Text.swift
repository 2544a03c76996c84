import Foundation

extension TrainingReport {
    /// The report as a table for people.
    public var text: String {
        var lines = [
            "data       \(data.name): \(data.users) users, \(data.items) items, \(data.rows) rows, \(data.clicks) clicks, "
                + "\(data.trials) trials (\(data.sampledNegatives) sampled), \(data.heldRows) rows held back"
        ]
        if let update {
            lines.append(
                "update     of \(update.before): \(update.rows) rows, \(update.clicks) clicks, loss "
                    + String(format: "%.4f", update.loss) + "; \(update.unknownRows) rows of unknown users or items; "
                    + "what follows is of \(update.base)")
        }
        if let ranking {
            lines.append("")
            lines += Self.table(
                "ranking", ["AUC", "GAUC", "log loss", "ECE", "sum p / clicks"],
                [
                    ("pre-ranker, frozen", ranking.frozen.preRanker.cells),
                    ("rate model, frozen", ranking.frozen.rateModel.cells),
                    ("pre-ranker, live users", ranking.live.preRanker.cells),
                ], width: 15)
        }
        if let ranker {
            lines.append("")
            lines += ranker.lines
        }
        if let rankerMaking { lines.append(rankerMaking.line) }
        if let recall {
            lines.append("")
            lines.append(contentsOf: recall.lines)
        }
        if let funnel { lines += funnel.lines }
        lines.append("")
        for (step, values) in losses.sorted(by: { $0.key < $1.key }) {
            lines.append("loss       \(step): " + values.map { String(format: "%.4f", $0) }.joined(separator: ", "))
        }
        for (step, value) in seconds.sorted(by: { $0.key < $1.key }) {
            lines.append("time       \(step): " + String(format: "%.1f s", value))
        }
        return (lines + notes.map { "note       \($0)" }).joined(separator: "\n")
    }

    /// `AUC 0.7512 (rate model 0.7213)`
    var rankingLine: String? {
        ranking.map {
            "AUC \(Self.share($0.frozen.preRanker.areaUnderCurve)) "
                + "(rate model \(Self.share($0.frozen.rateModel.areaUnderCurve)))"
        }
    }

    static func share(_ value: Double?) -> String {
        value.map { String(format: "%.4f", $0) } ?? "-"
    }

    /// A table: names in full on the left, numbers on the right in columns that are as wide as given, or as they need.
    static func table(
        _ title: String, _ titles: [String], _ rows: [(name: String, cells: [String])], width: Int
    ) -> [String] {
        let rows = [(title, titles)] + rows
        let names = max(24, rows.map(\.0.count).max() ?? 0)
        let width = max(width, 1 + (rows.flatMap(\.1).map(\.count).max() ?? 0))
        return rows.map { name, cells in
            name + String(repeating: " ", count: names - name.count)
                + cells.map { String(repeating: " ", count: width - $0.count) + $0 }.joined()
        }
    }
}

extension ClickFigures {
    fileprivate var cells: [String] {
        [areaUnderCurve, groupedAreaUnderCurve, logLoss, calibrationError, calibrationRatio].map(TrainingReport.share)
    }
}

extension RecallFigures {
    /// `recall@100 two-tower 0.2101, itemcf 0.1904, popular 0.1212, newest 0.0301, union 0.3302`
    var line: String {
        let depth = Self.depth
        let found =
            channels.map { ($0.channel, $0.recall(at: depth)) }
            + [("union", union.first { $0.depth == depth }?.recall)]
        return "recall@\(depth) " + found.map { "\($0.0) \(TrainingReport.share($0.1))" }.joined(separator: ", ")
    }

    /// A table for people: a line a channel.
    var lines: [String] {
        let depths = Self.depths.map { "@\($0)" }
        var rows: [(name: String, cells: [String])] = []
        for channel in channels {
            let first = channel.atDepth.first ?? .init()
            let cells =
                channel.atDepth.map { TrainingReport.share($0.recall) }
                + [first.hitRate, first.normalizedGain, first.averagePrecision].map(TrainingReport.share)
                + [TrainingReport.share(channel.atDepth.first { $0.depth == Self.depth }?.hitRate)]
                + [TrainingReport.share(channel.coverage), channel.novelty.map { String(format: "%.1f", $0) } ?? "-"]
                + [channel.headRecall, channel.tailRecall, channel.alone].map(TrainingReport.share)
            rows.append((channel.channel, cells))
        }
        rows.append(("union", union.map { TrainingReport.share($0.recall) }))
        var lines = TrainingReport.table(
            "recall, \(users) users",
            depths + ["HR@10", "NDCG@10", "MAP@10", "HR@100"] + ["covers", "novelty", "head", "tail", "alone"], rows,
            width: 9)
        lines.append(
            String(
                format: "           %.1f items to find a user, %.0f %% of them among the %d head items; ", itemsPerUser,
                headShare * 100, headItems)
                + String(
                    format: "the union of the first %d has %.0f items", Self.depth, unionCandidates))
        return lines
    }
}
