import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Simulation
import Snapshots
import Testing
import Training

/// The ranker from a small generated world to its components.
struct RankerTrainingTests {
    private func world(users: Int = 200, impressions: Int = 16_000) throws -> Dataset {
        var configuration = WorldConfiguration()
        configuration.users = users
        configuration.items = 400
        configuration.impressions = impressions
        configuration.days = 7
        return try World(configuration).log()
    }

    private func options(_ change: (inout RankingSpecification) -> Void = { _ in }) -> TrainingOptions {
        var options = TrainingOptions()
        options.twoTowerEpochs = 1
        options.preRankerEpochs = 1
        options.dimension = 8
        options.shards = 1
        options.specification.ranker.training.epochs = 2
        change(&options.specification.ranker)
        return options
    }

    /// Ships only what the ranker needs: no recall channel but one.
    private func train(
        _ dataset: Dataset, _ options: TrainingOptions
    ) throws -> (SnapshotStore, SnapshotManifest, TrainingReport) {
        let directory = FileManager.default.temporaryDirectory.appending(path: "ranker-\(UUID())").path()
        let store = try SnapshotStore(directory: directory)
        let (manifest, report) = try TrainingPipeline(dataset, options: options, progress: .silent).run(into: store)
        return (store, manifest, report)
    }

    @Test func theRankerBeatsRatesAndIsShipped() throws {
        let dataset = try world(users: 1_000, impressions: 60_000)
        let (store, manifest, report) = try train(dataset, options())
        defer { try? FileManager.default.removeItem(atPath: store.directory) }
        let figures = try #require(report.ranker)
        let (ranker, rates) = (figures.frozen[0], try #require(figures.frozen.last))
        #expect(ranker.model == "ranker" && rates.model == "rate model")
        let click = try #require(ranker.heads.first { $0.head == "click" })
        let rated = try #require(rates.heads.first { $0.head == "click" })
        #expect(click.rows == rated.rows && click.positives == rated.positives)
        #expect(
            try #require(click.areaUnderCurve) > #require(rated.areaUnderCurve) + 0.02,
            "\(ranker.heads), \(rates.heads)")
        #expect(try #require(click.calibrationError) < 0.05)
        // Segments part the rows, and a gain has a best.
        let users = figures.segments.filter { $0.segment.hasSuffix("users") && $0.figures.head == "click" }
        #expect(users.map(\.figures.rows).reduce(0, +) == click.rows)
        #expect(try (0.1...1).contains(#require(ranker.normalizedGain)))
        #expect(try #require(figures.gates).evenness.count == ranker.heads.count)
        #expect(figures.features.contains { $0.feature == "item_click_rate" && $0.coverage != nil })
        // What is shipped can be read as a ranker reads it.
        func open(_ kind: String) throws -> SafetensorsFile { try StoredComponents(manifest, in: store).open(kind) }
        let file = try open("ranker")
        let description = try RankerDescription(file)
        #expect(description.specification.heads.map(\.name) == ranker.heads.map(\.head))
        _ = try RankerModel(file)
        let columns = ItemFeatureColumns(dataset.items)
        var (encoder, statistics) = try RankerFeatures.encoder(
            file, columns: columns, itemIndex: KeyIndex(dataset.items.keys))
        try statistics.restore(open("statistics"))
        #expect(encoder.fitted.rows == description.rows)
        let calibration = try RankerCalibration(open("ranker-calibration"))
        #expect(calibration.heads["click"] != nil && calibration.finishRates["finish"] != nil)
        // The golden rows are those of serving, and are found when a prediction is another.
        let golden = try RankerGolden(open("ranker-golden"))
        #expect(golden.inputs.count == 64)
        try golden.check(RankerNet(file))
        let funnel = try #require(report.funnel)
        #expect(
            funnel.clicks == funnel.lostToFilter + funnel.lostInRecall + funnel.lostInPreRanking + funnel.lostInRanking
                + funnel.found)
        #expect(funnel.clicks > funnel.users && funnel.found > 0)
        #expect(funnel.agreementOfTops > 0.15 && funnel.agreementOfTops < 1, "\(funnel)")
        let making = try #require(report.rankerMaking)
        #expect(making.byteLoss <= 0.001 && making.parameters > 0 && making.layers > 0)
    }

    @Test func theSameSeedGivesTheSameRanker() throws {
        let dataset = try world(impressions: 6_000)
        let shas = try (0..<2).map { _ in
            let (store, manifest, _) = try train(dataset, options())
            defer { try? FileManager.default.removeItem(atPath: store.directory) }
            return try ["ranker", "ranker-calibration", "statistics"].map { try manifest.component($0).sha256 }
        }
        #expect(shas[0] == shas[1])
    }

    /// A log without shares, and one whose every row is watched: the head has nothing to learn, and is left out with a note.
    @Test func headsWithoutBothOutcomesAreLeftOut() throws {
        var dataset = try world(impressions: 6_000)
        dataset.exposures.actions = SharedBuffer(
            dataset.exposures.actions.map { Actions(rawValue: $0).subtracting([.share, .hide]).rawValue })
        let (store, manifest, report) = try train(dataset, options())
        defer { try? FileManager.default.removeItem(atPath: store.directory) }
        #expect(report.rankerMaking?.headsLeftOut == ["share", "hide", "cart", "purchase"])
        #expect(report.notes.contains { $0.contains("share, hide, cart, purchase") })
        let heads = try RankerDescription(StoredComponents(manifest, in: store).open("ranker")).specification.heads
        #expect(heads.contains { $0.name == "click" } && !heads.contains { $0.name == "share" })
    }

    @Test func withoutARankerNothingOfItIsShipped() throws {
        let (store, manifest, report) = try train(world(impressions: 4_000), options { $0.enabled = false })
        defer { try? FileManager.default.removeItem(atPath: store.directory) }
        #expect(report.ranker == nil && !manifest.components.contains { $0.name.hasPrefix("ranker") })
    }

    /// Of 20 rows without a click one stays; what is predicted is corrected, so that the sum still fits.
    @Test func negativesAreSampledAndCorrected() throws {
        let options = options {
            $0.net.negatives = RankerNegatives(head: "click", rate: 0.2)
            $0.training.calibrator = .none
        }
        let (store, _, report) = try train(world(users: 600, impressions: 40_000), options)
        defer { try? FileManager.default.removeItem(atPath: store.directory) }
        let click = try #require(report.ranker?.frozen.first?.heads.first { $0.head == "click" })
        #expect(try (0.75...1.3).contains(#require(click.calibrationRatio)), "\(click)")
        #expect(report.rankerMaking?.calibrated == [])
    }

    private struct Fault: Sendable {
        var message: String
        var change: @Sendable (inout RankingSpecification) -> Void
    }

    private static let faults: [Fault] = [
        Fault(message: "ranker.net.heads: no event 'buy' is logged") {
            $0.net.heads.append(RankerHead("buy", .binary))
        },
        Fault(message: "ranker.net.tables: there is no table 'itm'") { $0.net.tables["itm"] = RankerTable(width: 4) },
        Fault(message: "ranker.net.sequences: there is no history 'views'") { $0.net.sequences[0].name = "views" },
        Fault(message: "ranker.net.fields: there is no categorical feature 'x'") {
            $0.net.fields = [RankerField("x", .categorical)]
        },
        Fault(message: "ranker.training.epochs: expected 1 to 1000, found 0") { $0.training.epochs = 0 },
        Fault(message: "ranker.training.batch: expected 1 to 65536, found 0") { $0.training.batch = 0 },
        Fault(message: "ranker.features: feature 'a': unknown source 'b'") {
            $0.features.features.append(FeatureDefinition("a", "b"))
        },
        Fault(message: "ranker.net.crossings[0] (dcn).layers: expected 1...32") {
            $0.net.crossings = [.dcn(layers: 0)]
        },
    ]

    @Test(arguments: faults.indices)
    func badSpecificationsAreNamed(index: Int) throws {
        let fault = Self.faults[index]
        let dataset = try world(impressions: 2_000)
        let error = #expect(throws: TrainingError.self) {
            let (store, _, _) = try train(dataset, options(fault.change))
            try? FileManager.default.removeItem(atPath: store.directory)
        }
        #expect(error?.message.hasPrefix("--specification: \(fault.message)") == true, "\(error?.message ?? "")")
    }

    /// The pre-ranker learns from the ranker what clicks alone do not tell it, and a teacher must be there.
    @Test func thePreRankerLearnsFromTheRanker() throws {
        let dataset = try world(users: 600, impressions: 30_000)
        func agreement(_ share: Float) throws -> (Double, String) {
            var options = options()
            options.specification.threeTower.distillation = share
            let (store, manifest, report) = try train(dataset, options)
            defer { try? FileManager.default.removeItem(atPath: store.directory) }
            return try (#require(report.funnel).agreementOfTops, manifest.component("prerank").sha256)
        }
        let (alone, taught) = (try agreement(0), try agreement(1))
        #expect(taught.1 != alone.1 && taught.0 > alone.0, "\(taught.0), \(alone.0)")
        var untaught = options { $0.enabled = false }
        untaught.specification.threeTower.distillation = 0.5
        let error = #expect(throws: TrainingError.self) { try untaught.validate() }
        #expect(error?.message == "--specification: threeTower.distillation: there is no ranker to learn from")
    }

    /// By hand: of a click watched for 6 of 20 seconds, and of a showing that was hidden.
    @Test func labelsAreWhatHappened() {
        let heads = [
            RankerHead("click", .binary), RankerHead("hide", .binary), RankerHead("watch_time", .watchTime),
            RankerHead("played", .finish), RankerHead("most", .finishAbove, threshold: 0.25),
        ]
        let outcomes = [
            RankingOutcome(actions: [.impression, .click, .like], watchSeconds: 6, durationSeconds: 20),
            RankingOutcome(actions: [.impression, .hide], watchSeconds: 0, durationSeconds: 20),
        ]
        let labels = RankerLabels(heads, outcomes).values
        #expect(labels == [[1, 0], [0, 1], [6, 0], [0.3, 0], [0.3, 0]])
        #expect(heads.map { $0.isPositive(0.3) } == [true, true, nil, nil, true])
        #expect(heads.map { $0.isPositive(0.2) } == [true, true, nil, nil, false])
    }

    /// Every model, and the ranker with each block on and off, on one split.
    @Test func modelsAndBlocksAreCompared() throws {
        let dataset = try world(impressions: 6_000)
        let options = options { $0.training.epochs = 1 }
        let trial = try RankingTrial(dataset, fraction: 0.2, options: options, progress: .silent)
        let report = try trial.run(RankingTrial.Model.allCases)
        #expect(
            report.models.map(\.frozen.model) == [
                "rate model", "pre-ranker", "logistic regression", "DCN V2", "ranker",
            ])
        #expect(report.models.allSatisfy { $0.frozen.heads.first?.rows == report.heldRows })
        #expect(report.text.contains("logistic regression"))
        let ablation = try trial.ablation()
        let names = ablation.models.map(\.frozen.model)
        for name in ["full", "without DCN V2", "without the deep net", "with FM", "with PLE", "click alone"] {
            #expect(names.contains(name), "\(names)")
        }
        #expect(names.contains("with history likes") && !names.contains("with MMoE") && ablation.leftOut.isEmpty)
        // No name is cut, and numbers stand below their titles.
        let lines = ablation.text.split(separator: "\n")
        for title in ["AUC among all rows, live users", "with logistic regression, watch_time"] {
            #expect(lines.contains { $0.hasPrefix("\(title) ") }, "\(title)")
        }
        #expect(ablation.models.first { $0.frozen.model == "click alone" }?.frozen.heads.count == 1)
        #expect(ablation.models[0].frozen == report.models.last?.frozen.renamed("full"))
    }

    /// Of a net with nothing in it every block is put in, but for those that its features do not allow.
    @Test func blocksThatAreOffArePutIn() throws {
        let dataset = try world(impressions: 2_000)
        var options = options { ranker in
            ranker.training.epochs = 1
            ranker.features = FeatureSchema(features: [
                FeatureDefinition("item", "item.id"), FeatureDefinition("category", "item.category"),
            ])
            ranker.net = RankerSpecification(
                tables: [:], fields: [], crossings: [.linear()], heads: [RankerHead("click", .binary)])
        }
        let report = try RankingTrial(dataset, fraction: 0.2, options: options, progress: .silent).ablation()
        #expect(
            report.models.map(\.frozen.model) == [
                "full", "without logistic regression", "with a deep net", "with a shared bottom", "with MMoE",
                "with PLE",
                "with DCN V2", "with FM", "with SENet", "with bilinear", "with FiBiNet",
            ])
        #expect(report.leftOut.map(\.variant) == ["with gates of the user"])
        let reason = "ranker.net.personal.fields: there is no field 'user'; there are item, category"
        #expect(report.leftOut.first?.reason == reason && report.text.hasSuffix("with gates of the user: \(reason)"))

        options.specification.ranker.enabled = false
        let trial = try RankingTrial(dataset, fraction: 0.2, options: options, progress: .silent)
        for run in [{ try trial.ablation() }, { try trial.run([.rates, .ranker]) }] {
            let error = #expect(throws: TrainingError.self) { try run() }
            #expect(error?.message == "--specification: ranker.enabled is false: there is no ranker to train")
        }
        #expect(try trial.run([.rates]).models.map(\.frozen.model) == ["rate model"])
    }

    /// Of more candidates than come through, the cut keeps more of the ranker's first than chance would.
    @Test func theCutKeepsWhatTheRankerPutsFirst() throws {
        var configuration = WorldConfiguration()
        (configuration.users, configuration.items, configuration.impressions) = (400, 1_500, 40_000)
        let (store, _, report) = try train(World(configuration).log(), options())
        defer { try? FileManager.default.removeItem(atPath: store.directory) }
        let funnel = try #require(report.funnel)
        let chance = Double(funnel.cut) / funnel.candidates
        #expect(chance < 0.9 && funnel.agreement > chance + 0.05 && funnel.agreement < 1, "\(funnel)")
        #expect(funnel.agreementOfTops < funnel.agreement && funnel.lostInPreRanking > 0, "\(funnel)")
    }
}

extension ModelFigures {
    fileprivate func renamed(_ name: String) -> ModelFigures {
        var result = self
        result.model = name
        return result
    }
}
