import Foundation

extension TrainingReport {
    /// The report as JSON, keys in order.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The report as a table for people.
    public var text: String {
        var lines = [
            "data       \(data.name): \(data.users) users, \(data.items) items, \(data.rows) rows, \(data.clicks) clicks, "
                + "\(data.trials) trials (\(data.sampledNegatives) sampled), \(data.heldRows) rows held back"
        ]
        if let ranking {
            lines.append("")
            lines.append(Self.row("ranking", ["AUC", "GAUC", "log loss", "ECE", "sum p / clicks"]))
            lines.append(Self.row("pre-ranker, frozen", ranking.frozen.preRanker.cells))
            lines.append(Self.row("rate model, frozen", ranking.frozen.rateModel.cells))
            lines.append(Self.row("pre-ranker, live users", ranking.live.preRanker.cells))
        }
        if let recall {
            lines.append("")
            lines.append(
                Self.row("recall, \(recall.users) users", ["recall@\(recall.depth)", "hit rate", "NDCG", "candidates"]))
            for channel in recall.channels + [recall.union] {
                lines.append(
                    Self.row(
                        channel.channel,
                        [
                            Self.share(channel.recall), Self.share(channel.hitRate), Self.share(channel.normalizedGain),
                            String(format: "%.1f", channel.candidates),
                        ]))
            }
        }
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

    /// `recall@100 two-tower 0.2101, itemcf 0.1904, popular 0.1212, newest 0.0301, union 0.3302`
    var recallLine: String? {
        recall.map { recall in
            "recall@\(recall.depth) "
                + (recall.channels + [recall.union]).map { "\($0.channel) \(Self.share($0.recall))" }
                .joined(separator: ", ")
        }
    }

    static func share(_ value: Double?) -> String {
        value.map { String(format: "%.4f", $0) } ?? "-"
    }

    private static func row(_ name: String, _ cells: [String]) -> String {
        let padded = cells.map { String(repeating: " ", count: max(0, 15 - $0.count)) + $0 }
        return name.padding(toLength: 24, withPad: " ", startingAt: 0) + padded.joined()
    }
}

extension ClickFigures {
    fileprivate var cells: [String] {
        [areaUnderCurve, groupedAreaUnderCurve, logLoss, calibrationError, calibrationRatio].map(TrainingReport.share)
    }
}
