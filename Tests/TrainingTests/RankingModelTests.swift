import Blobs
import Catalog
import Features
import Foundation
import Kernels
import Models
import Networks
import Ranking
import Simulation
import Snapshots
import Testing
import Training

/// A trained ranking model as the ranker serves it.
struct RankingModelTests {
    private func trained(
        _ dataset: Dataset, seed: UInt64 = 1, _ body: ((String) throws -> SafetensorsFile) throws -> Void
    ) throws {
        var options = TrainingOptions()
        (options.twoTowerEpochs, options.preRankerEpochs, options.dimension, options.shards) = (1, 1, 8, 1)
        options.specification.ranker.training.epochs = 1
        options.seed = seed
        let directory = FileManager.default.temporaryDirectory.appending(path: "served-\(UUID())").path()
        let store = try SnapshotStore(directory: directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (manifest, _) = try TrainingPipeline(dataset, options: options, progress: .silent).run(into: store)
        try body { try StoredComponents(manifest, in: store).open($0) }
    }

    private func world() throws -> Dataset {
        var configuration = WorldConfiguration()
        (configuration.users, configuration.items, configuration.impressions) = (200, 400, 16_000)
        var log = try World(configuration).log()
        // Devices by turns, every fourth unknown.
        log.exposures.contexts = [
            CategoricalField(
                name: "device", vocabulary: StringTable(["", "phone", "tv", "watch"]),
                values: SharedBuffer((0..<log.exposures.count).map { UInt32($0 % 4) }))
        ]
        return log
    }

    /// The user with most showings, as he was after them.
    private func state(_ dataset: Dataset) -> UserState {
        let log = dataset.exposures
        let user = Int(log.users[log.count - 1])
        var state = UserState(
            user: dataset.users.keys[user], isKnown: true, profile: dataset.users.fields.map { $0.values[user] })
        for row in 0..<log.count where log.users[row] == log.users[log.count - 1] {
            state.record(
                Interaction(
                    item: dataset.items.keys[Int(log.items[row])], timeMilliseconds: log.times[row],
                    actions: Actions(rawValue: log.actions[row]), watchSeconds: log.watchSeconds[row]))
        }
        return state
    }

    /// The ranking model of a snapshot, as a ranker opens it.
    private func model(
        _ open: (String) throws -> SafetensorsFile, _ encoder: RankingEncoder, _ statistics: RankingStatistics,
        until moment: Int64
    ) throws -> RankingModel {
        try RankingModel(
            RankingModel.Components(
                ranker: open("ranker"), calibration: open("ranker-calibration"), golden: open("ranker-golden")),
            encoder: encoder,
            statistics: LiveStatistics(
                statistics, version: "v", clock: LogClock(dataUntil: moment), itemIndex: encoder.itemIndex))
    }

    /// What the ranker answers is what the net that was trained predicts of the same inputs, calibrated, and fused.
    @Test func whatIsServedIsWhatWasTrained() throws {
        let dataset = try world()
        let (state, index) = (state(dataset), KeyIndex(dataset.items.keys))
        let scene = Scene(timeMilliseconds: (dataset.exposures.times.last ?? 0) + 60_000, surface: 1, contexts: [2])
        try trained(dataset) { open in
            let file = try open("ranker")
            let told = try open("catalog").contexts()
            #expect(told.map(\.name) == ["device"] && told[0].vocabulary[3] == "watch" && told[0].values.isEmpty)
            let columns = ItemFeatureColumns(dataset.items)
            var (encoder, statistics) = try RankerFeatures.encoder(file, columns: columns, itemIndex: index)
            try statistics.restore(open(RankingStatistics.componentKind))
            let calibration = try RankerCalibration(open("ranker-calibration"))
            let stage = try model(open, encoder, statistics, until: scene.timeMilliseconds)
            let fusion = FusionSpecification(
                .clickTimes, [FusionTerm(head: "like", weight: 2), FusionTerm(head: "finish", lengthAdjusted: true)])
            let ranker = try Ranker(
                PreRanker(open("prerank"), items: dataset.items), stage: stage, fusion: fusion)
            let fresh = LiveItem(publicID: "fresh", publishMilliseconds: scene.timeMilliseconds, durationSeconds: 40)
            var query = RankingQuery(
                state, scene, items: SharedBuffer(Array(dataset.items.keys.prefix(300)) + [fresh.key]))
            (query.live, query.cut) = ([fresh], PreRankCut(keep: 200, categoryMinimum: 200))
            #expect(ranker.features.allSatisfy { $0.serving.count == 0 && $0.drift == nil })
            let ranked = ranker.rank(query).items
            // The first request is observed: the user's features once, the candidates' 200 times.
            let observed = Dictionary(uniqueKeysWithValues: ranker.features.map { ($0.name, $0.serving) })
            #expect(observed["user"]?.count == 1 && observed["item"]?.count == 200)
            #expect(observed["item"]?.outOfVocabulary == (ranked.items.contains(fresh.key) ? 1 : 0))
            #expect(observed["context.device"]?.count == 1 && observed["context.device"]?.missing == 0)
            #expect(ranker.features.allSatisfy { $0.training.count > 0 })
            // However many candidates it had, one request says nothing of drift.
            #expect(ranker.features.allSatisfy { $0.requests == 1 && $0.drift == nil })
            var elsewhere = query
            elsewhere.scene.contexts = [3]
            #expect(ranker.rank(elsewhere).items.predictions != ranked.predictions)
            #expect(ranked.items.count == 200 && ranked.heads == stage.heads)

            let candidates = ranked.items.map { item in
                index.row(of: item).map { RankingCandidate(row: $0, columns: columns) }
                    ?? RankingCandidate(ItemVocabulary(dataset.items, columns: columns).features(of: fresh))
            }
            var request = RankingRequest(encoder)
            request.begin(state, scene, statistics: statistics)
            let inputs = request.encode(candidates, statistics: statistics)
            let model = try RankerModel(file)
            let expected = model(inputs, in: Workspace()).enumerated().map { head, outputs in
                let calibrator = calibration.heads[ranked.heads[head]]
                return model.predictions(outputs, head: head).map { calibrator?($0) ?? $0 }
            }
            let tolerance: Float = try RankerDescription(file).precisions?.values.contains(.int8) == true ? 2e-2 : 1e-4
            for (head, name) in ranked.heads.enumerated() {
                let served = try #require(ranked.predictions(of: name))
                for (found, wanted) in zip(served, expected[head]) {
                    #expect(abs(found - wanted) < tolerance * max(1, wanted), "\(name)")
                }
            }
            let rate = try #require(calibration.finishRates["finish"])
            let (click, like) = (ranked.predictions(of: "click") ?? [], ranked.predictions(of: "like") ?? [])
            let finish = ranked.predictions(of: "finish") ?? []
            for (place, item) in ranked.items.enumerated() {
                let seconds = index.row(of: item).map { dataset.items.durations[$0] } ?? 40
                let score =
                    click[place] * (1 + 2 * like[place] + rate.adjusted(finish[place], seconds: seconds))
                #expect(abs(ranked.scores[place] - score) < 1e-4 * max(1, score))
            }
            #expect(zip(ranked.scores, ranked.scores.dropFirst()).allSatisfy { $0 >= $1 })
        }
    }

    /// One request in 64 is counted, and drift is told from 200 counted ones on.
    @Test func driftNeedsManyRequests() throws {
        let dataset = try world()
        let (state, index) = (state(dataset), KeyIndex(dataset.items.keys))
        let scene = Scene(timeMilliseconds: dataset.exposures.times.last ?? 0, surface: 1)
        try trained(dataset) { open in
            let file = try open("ranker")
            let columns = ItemFeatureColumns(dataset.items)
            let (encoder, statistics) = try RankerFeatures.encoder(file, columns: columns, itemIndex: index)
            let model = try model(open, encoder, statistics, until: scene.timeMilliseconds)
            let candidates = [0, 1].map { RankingCandidate(row: $0, columns: columns) }
            var predictions = [Float](repeating: 0, count: candidates.count * model.heads.count)
            func ask(_ times: Int) {
                predictions.withUnsafeMutableBufferPointer { predictions in
                    for _ in 0..<times { model.predict(state, scene, candidates, into: predictions) }
                }
            }
            ask(64 * 199)
            #expect(model.features.allSatisfy { $0.requests == 199 && $0.drift == nil })
            #expect(model.features.contains { $0.serving.count == 398 })
            ask(1)
            #expect(model.features.allSatisfy { $0.requests == 200 && $0.drift != nil })
        }
    }

    /// Golden rows of another training: other predictions of the same rows.
    @Test func aNetThatDoesNotPredictWhatTheTrainersDidIsRefused() throws {
        let dataset = try world()
        let index = KeyIndex(dataset.items.keys)
        try trained(dataset) { open in
            let file = try open("ranker")
            let (encoder, statistics) = try RankerFeatures.encoder(
                file, columns: ItemFeatureColumns(dataset.items), itemIndex: index)
            func model(_ golden: SafetensorsFile) throws -> RankingModel {
                try RankingModel(
                    RankingModel.Components(ranker: file, calibration: try open("ranker-calibration"), golden: golden),
                    encoder: encoder,
                    statistics: LiveStatistics(
                        statistics, version: "v", clock: LogClock(dataUntil: 0), itemIndex: index))
            }
            _ = try model(open("ranker-golden"))
            try trained(dataset, seed: 2) { other in
                let error = #expect(throws: ModelError.self) { try model(other("ranker-golden")) }
                #expect(error?.code == .mismatch && error?.message.contains("golden row") == true)
            }
        }
    }
}
