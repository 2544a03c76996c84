public import Catalog
import FeatureStore
import Features
public import Hashing
import Kernels
import Models
public import Snapshots

/// An incremental update of a snapshot: the two-tower model's embeddings of users, items and authors follow the clicks since,
/// in the order in which they were logged; everything else stays as it is.
///
/// What is published is a snapshot of its own that shares with the one before every component but three kinds: `two-tower`,
/// whose dense layers are the same to the last bit, `two-tower-state`, and the shards' `vectors`. A node that has the one
/// before fetches these alone. Users and items that the snapshot does not know wait for the next full training run, which
/// starts from the last full one and not from this.
public struct IncrementalUpdate {
    private let store: SnapshotStore
    private let before: SnapshotManifest
    private let options: TrainingOptions
    private let progress: TrainingProgress

    /// - Parameters:
    ///   - version: What to start from, full or itself an update; nil is the newest.
    ///   - options: The seed, the number of threads and the batch count.
    public init(
        of version: String?, in store: SnapshotStore, options: TrainingOptions, progress: TrainingProgress
    ) throws {
        guard let version = try version ?? store.versions().last else {
            throw TrainingError(.invalidInput, "--store: no snapshot in \(store.directory)")
        }
        self.store = store
        self.options = options
        self.progress = progress
        before = try store.manifest(version)
    }

    /// Trains on the rows of a data set that are newer than the snapshot, and publishes.
    ///
    /// - Parameter dataset: May hold older rows: those since the full run are needed for what users did before the new
    ///   ones when the snapshot is an update already.
    /// - Throws: `TrainingError.invalidInput` when no new click can be learned from.
    public func run(
        _ dataset: Dataset, signingKey: Ed25519.PrivateKey? = nil
    ) throws -> (manifest: SnapshotManifest, report: TrainingReport) {
        progress.begin("update")
        let components = StoredComponents(before, in: store)
        let model = try TrainedTwoTower(
            components.open("two-tower"), state: components.open(TwoTowerState.componentKind))
        let known = try KnownWorld(components, model)
        let log = known.log(of: dataset, after: known.statesUntil)
        let first = log.dataset.exposures.firstRow(after: before.dataUntilMilliseconds)
        let rows = first..<log.dataset.exposures.count
        let clicks = rows.count { Actions(rawValue: log.dataset.exposures.actions[$0]).contains(.click) }
        guard clicks > 1 else {
            throw TrainingError(
                .invalidInput,
                "data set \"\(dataset.name)\" has \(clicks) clicks after those that \(before.version) was trained on, by "
                    + "users and on items that it knows (\(log.unknown) newer rows are of others); an update needs two")
        }
        let trained = try train(log.dataset, rows, model, known)
        let figures = UpdateFigures(
            before: before.version, base: before.base ?? before.version, rows: rows.count, clicks: clicks,
            unknownRows: log.unknown, loss: trained.loss)
        let result = try publish(trained.components, figures, dataUntil: trained.dataUntil, signingKey)
        progress.end("\(clicks) clicks, \(result.manifest.version)")
        return result
    }

    private struct Trained {
        var components: RecallComponents
        var loss: Double
        var dataUntil: Int64
    }

    private func train(
        _ dataset: Dataset, _ rows: Range<Int>, _ model: TrainedTwoTower, _ known: KnownWorld
    ) throws -> Trained {
        let training = try TwoTowerTraining(
            model.description.specification, sizes: model.description.sizes, dataset: dataset, columns: known.columns,
            options: options, progress: progress)
        try training.start(from: model, vocabulary: model.state.vocabulary)
        training.moveIDsOnly()
        var replay = Replay(exposures: dataset.exposures, states: known.states, encoder: known.encoder)
        replay.advance(to: rows.lowerBound)
        let fitted = try training.fit(rows, counted: 0..<rows.upperBound, epochs: 1, from: replay)
        var end = fitted.end
        end.advance(to: rows.upperBound)
        var options = options
        options.shards = before.shards
        let log = RecallLog(
            dataset: dataset, rows: 0..<rows.upperBound, until: nil, states: end.states, columns: known.columns,
            encoder: known.encoder, options: options, progress: progress, isEvaluated: false)
        let components = try TwoTowerTrainer.components(
            training, log, model.description.sizes, model.state.vocabulary, gaps: fitted.gaps)
        return Trained(components: components, loss: fitted.losses.first ?? 0, dataUntil: log.dataUntil)
    }

    private func publish(
        _ components: RecallComponents, _ figures: UpdateFigures, dataUntil: Int64, _ key: Ed25519.PrivateKey?
    ) throws -> (manifest: SnapshotManifest, report: TrainingReport) {
        var configuration = SnapshotBuilder.Configuration(shards: before.shards)
        configuration.threads = options.threads
        configuration.signingKey = key
        let builder = try SnapshotBuilder(store: store, configuration: configuration)
        let changed = Set(components.shared.keys).union(components.sharded.keys)
        for component in before.components where !changed.contains(component.kind) { try builder.reuse(component) }
        for (kind, tensors) in components.shared.sorted(by: { $0.key < $1.key }) { try builder.add(kind, tensors) }
        var report = try before.report.decoded(as: TrainingReport.self)
        for (kind, make) in components.sharded.sorted(by: { $0.key < $1.key }) {
            report.vectorIndexes[kind] = []
            for shard in 0..<before.shards {
                let component = try make(shard, before.shards)
                try builder.add(kind, shard: shard, component.tensors)
                if let index = component.index { report.vectorIndexes[kind]?.append(index) }
            }
        }
        report.update = figures
        builder.base = figures.base
        builder.model = before.model
        builder.report = try JSONValue(encoding: report)
        builder.dataUntilMilliseconds = dataUntil
        return (try builder.publish(), report)
    }
}

/// What an incremental update learned from.
public struct UpdateFigures: Codable, Hashable, Sendable {
    /// The snapshot that it followed, and the full one that all updates since started from.
    public var before: String
    public var base: String
    /// Rows since, and the clicks among them, of users and items that the snapshot knows.
    public var rows: Int
    public var clicks: Int
    /// Rows since of users or items that it does not know.
    public var unknownRows: Int
    /// Mean over the clicks, before each was learned.
    public var loss: Double
}
