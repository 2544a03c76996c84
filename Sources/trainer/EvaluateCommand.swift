import ArgumentParser
import Catalog
import Evaluation
import Foundation
import Models
import Snapshots
import Training

/// `trainer evaluate`: how good a published snapshot is, or how good channels would be.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Tell how good models are: those of a snapshot, or recall channels on a data set.",
        discussion: """
            With --store it prints the report that a snapshot's training run stored in the manifest; no model is run and no \
            data read. The figures are of the log that the snapshot was trained on: its held-back last part, before the \
            models were trained on that too.

            With --data it trains the recall channels on a part of the log, and asks them for the clicks of the rest; with \
            --models it trains rankers instead, and asks them what followed the showings of the rest. Nothing is \
            published. docs/quality.md tells what the figures mean.
            """)

    @Option(help: "Directory of the snapshot store.")
    var store: String?

    @Option(help: "Version of the snapshot; the newest when left out.")
    var version: String?

    @Option(help: "Directory of a data set, as `tributary import` or `tributary generate` writes it.")
    var data: String?

    @Option(
        help: """
            What is held back: time:F the last share F of the log, leave-one-out every user's last click, random:F a \
            share F of every user's clicks; by default time:0.2.
            """)
    var split: String?

    @Option(help: "Channels to evaluate, by commas; all that the specification does not have off when left out.")
    var channels: String?

    @Option(
        help: """
            Rankers to compare, by commas, instead of recall: \(RankingTrial.Model.names), or all. The split is by time.
            """)
    var models: String?

    @OptionGroup var training: ModelOptions

    @Option(
        help: "Users asked about, taken evenly from all who have something to find; by default \(RecallTrial.usersMax)."
    )
    var usersMax: Int?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func validate() throws {
        guard (store == nil) != (data == nil) else {
            throw ValidationError("expected either --store or --data")
        }
        let ofData = [
            ("split", split != nil), ("channels", channels != nil), ("users-max", usersMax != nil),
            ("models", models != nil),
        ]
        if data == nil, let (name, _) = ofData.first(where: \.1) {
            throw ValidationError("--\(name): only with --data")
        }
        let ofRecall = [("channels", channels != nil), ("users-max", usersMax != nil)]
        if models != nil, let (name, _) = ofRecall.first(where: \.1) {
            throw ValidationError("--\(name): not with --models")
        }
        if store == nil, version != nil { throw ValidationError("--version: only with --store") }
        if let usersMax, usersMax < 1 { throw ValidationError("--users-max: expected 1 or more, found \(usersMax)") }
    }

    func run() throws {
        if let data, let models {
            try compare(RankingTrial.Model.named(models), data)
        } else if let data {
            try evaluate(data)
        } else if let store {
            try show(store)
        }
    }

    private func division() throws -> EvaluationSplit {
        let split = split ?? "time:0.2"
        guard let division = EvaluationSplit(split) else {
            throw ValidationError(
                "--split: expected time:F, leave-one-out or random:F with F of 0.01 to 0.9, found \(split)")
        }
        return division
    }

    private func compare(_ models: [RankingTrial.Model], _ data: String) throws {
        guard case .time(let fraction) = try division() else {
            throw ValidationError("--split: rankers are compared on a split by time, time:F")
        }
        let report = try RankingTrial(
            Dataset(directory: data), fraction: fraction, options: training.trainingOptions(),
            progress: .standardError()
        ).run(models)
        print(json ? try report.json() : report.text)
    }

    private func evaluate(_ data: String) throws {
        let division = try division()
        let trial = try RecallTrial(
            Dataset(directory: data), options: training.trainingOptions(), progress: .standardError())
        let names = channels?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let report = try trial.run(division, channels: names, usersMax: usersMax ?? RecallTrial.usersMax)
        print(json ? try report.json() : report.text)
    }

    private func show(_ directory: String) throws {
        // Opening a store makes it; looking at one must not.
        guard FileManager.default.fileExists(atPath: directory) else {
            throw ValidationError("--store: there is no directory \(directory)")
        }
        let store = try SnapshotStore(directory: directory)
        guard let version = try version ?? store.versions().last else {
            throw ValidationError("--store: no snapshot in \(directory)")
        }
        let report = try store.manifest(version).report.decoded(as: TrainingReport.self)
        print(json ? try report.json() : report.text)
    }
}

extension RankingTrial.Model {
    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// Reads names by commas, or `all`.
    static func named(_ text: String) throws -> [RankingTrial.Model] {
        if text == "all" { return allCases }
        return try text.split(separator: ",").map { part in
            let name = part.trimmingCharacters(in: .whitespaces)
            guard let model = RankingTrial.Model(rawValue: name) else {
                throw ValidationError("--models: unknown model '\(name)'; known: \(names), all")
            }
            return model
        }
    }
}
