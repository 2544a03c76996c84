import Blobs
import Catalog
import Foundation
import Kernels
import Models
import Simulation
import Snapshots
import Testing
import Training

/// Going on from a snapshot: the full update, and the incremental one.
struct UpdateTests {
    private static let day: Int64 = 86_400_000

    private func world() throws -> Dataset {
        var configuration = WorldConfiguration()
        configuration.users = 200
        configuration.items = 400
        configuration.impressions = 12_000
        configuration.days = 7
        return try World(configuration).log()
    }

    private func options() -> TrainingOptions {
        var options = TrainingOptions()
        options.twoTowerEpochs = 2
        options.preRankerEpochs = 1
        options.dimension = 16
        options.shards = 2
        options.batch = 128
        return options
    }

    private func withStore<Result>(_ body: (SnapshotStore) throws -> Result) throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: "update-\(UUID())").path()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try body(SnapshotStore(directory: directory))
    }

    private func train(
        _ dataset: Dataset, into store: SnapshotStore, from version: String? = nil
    ) throws -> (manifest: SnapshotManifest, report: TrainingReport) {
        let start = try version.map { try ContinuedModel($0 == "latest" ? nil : $0, in: store) }
        return try TrainingPipeline(dataset, options: options(), progress: .silent, continuing: start).run(into: store)
    }

    private func update(
        _ dataset: Dataset, in store: SnapshotStore, of version: String? = nil
    ) throws -> (manifest: SnapshotManifest, report: TrainingReport) {
        try IncrementalUpdate(of: version, in: store, options: options(), progress: .silent).run(dataset)
    }

    private func opened(
        _ kind: String, of manifest: SnapshotManifest, in store: SnapshotStore
    ) throws -> SafetensorsFile {
        let url = FileManager.default.temporaryDirectory.appending(path: "update-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try store.extract(try manifest.component(kind), of: manifest.version, to: url.path())
        return try SafetensorsFile(path: url.path())
    }

    private func hashes(_ manifest: SnapshotManifest, where isWanted: (String) -> Bool) -> [String: String] {
        Dictionary(uniqueKeysWithValues: manifest.components.filter { isWanted($0.kind) }.map { ($0.name, $0.sha256) })
    }

    private static let moved: Set<String> = ["two-tower", "two-tower-state", "vectors"]

    @Test func anUpdateMovesEmbeddingsOfIDsAlone() throws {
        let dataset = try world()
        let start = dataset.exposures.times[0]
        try withStore { store in
            let full = try train(dataset.until(start + 5 * Self.day), into: store).manifest
            let (first, report) = try update(dataset.until(start + 6 * Self.day), in: store)
            #expect(first.base == full.version && first.parent == full.version && full.base == nil)
            let figures = try #require(report.update)
            #expect(figures.before == full.version && figures.clicks > 50 && figures.unknownRows == 0)
            #expect(report.text.contains("update     of \(full.version)"))
            // All else is shared: nothing of it is stored or fetched again.
            #expect(hashes(first) { !Self.moved.contains($0) } == hashes(full) { !Self.moved.contains($0) })
            for name in ["two-tower", "vectors/0", "vectors/1"] {
                let changed = try #require(first.components.first { $0.name == name })
                #expect(!full.components.contains { $0.sha256 == changed.sha256 }, "\(name)")
            }
            let (before, after) = (
                try opened("two-tower", of: full, in: store), try opened("two-tower", of: first, in: store)
            )
            #expect(before.tensors.map(\.name) == after.tensors.map(\.name) && before.metadata == after.metadata)
            for tensor in before.tensors {
                let same = try Array(before.bytes(tensor.name)) == Array(after.bytes(tensor.name))
                #expect(same == !["user", "item", "author"].contains(tensor.name), "\(tensor.name)")
            }
            // The unknown user and item stay zero.
            for name in ["user", "item"] {
                let table = try after.buffer(name, as: Float.self)
                #expect(table.prefix(16).allSatisfy { $0 == 0 })
            }
        }
    }

    /// Users without a row after the snapshot keep their embedding.
    @Test func whoDidNothingStaysAsHeWas() throws {
        let dataset = try world()
        let start = dataset.exposures.times[0]
        try withStore { store in
            let full = try train(dataset.until(start + 6 * Self.day), into: store).manifest
            let updated = try update(dataset, in: store).manifest
            let tables = try [full, updated].map {
                try opened("two-tower", of: $0, in: store).buffer("user", as: Float.self)
            }
            let width = EmbeddingWidths().user
            var active: Set<UInt32> = []
            for row in 0..<dataset.exposures.count
            where dataset.exposures.times[row] > full.dataUntilMilliseconds
                && Actions(rawValue: dataset.exposures.actions[row]).contains(.click)
            {
                active.insert(dataset.exposures.users[row])
            }
            #expect(!active.isEmpty && active.count < dataset.users.count)
            for user in 0..<dataset.users.count {
                let range = (user + 1) * width..<(user + 2) * width
                let isSame = range.allSatisfy { tables[0][$0] == tables[1][$0] }
                #expect(isSame == !active.contains(UInt32(user)), "user \(user)")
            }
        }
    }

    /// An update goes on from an update; a full run from the full one before both.
    @Test func aFullRunIgnoresUpdates() throws {
        let dataset = try world()
        let start = dataset.exposures.times[0]
        try withStore { store in
            let full = try train(dataset.until(start + 4 * Self.day), into: store).manifest
            let fromFull = try train(dataset, into: store, from: full.version).manifest
            let first = try update(dataset.until(start + 5 * Self.day), in: store, of: full.version).manifest
            let second = try update(dataset.until(start + 6 * Self.day), in: store).manifest
            #expect(second.parent == first.version && second.base == full.version)
            #expect(second.dataUntilMilliseconds > first.dataUntilMilliseconds)
            let (again, report) = try train(dataset, into: store, from: "latest")
            #expect(again.base == nil)
            #expect(
                hashes(again) { $0 == "vectors" || $0 == "two-tower" }
                    == hashes(fromFull) { $0 == "vectors" || $0 == "two-tower" })
            #expect(report.notes.contains { $0.contains("goes on from that of \(full.version)") })
            // One pass, and better than from the beginning at once: the first loss is that of a trained model.
            let losses = try #require(report.losses["twoTower"])
            let anew = try #require(try train(dataset, into: store).report.losses["twoTower"])
            #expect(losses.count == 1 && losses[0] < anew[0], "\(losses) \(anew)")
            // Only what is new is held back.
            #expect(report.data.splitMilliseconds > full.dataUntilMilliseconds)
        }
    }

    /// Users, items and names are found again by what they are, not by their rows.
    @Test func aFullRunMapsRowsByVocabulary() throws {
        let dataset = try world()
        let start = dataset.exposures.times[0]
        // The first run does not know every third item, nor every fifth user: all later rows are shifted.
        let small = try dataset.until(start + 5 * Self.day).without(items: { $0 % 3 == 0 }, users: { $0 % 5 == 0 })
        try withStore { store in
            let full = try train(small, into: store).manifest
            let continued = try train(
                dataset.until(start + 5 * Self.day + 4 * 3_600_000), into: store, from: full.version
            ).manifest
            let files = try [full, continued].map { try opened("two-tower", of: $0, in: store) }
            let tables = try files.map { Array(try $0.buffer("item", as: Float.self)) }
            let width = EmbeddingWidths().item
            var moved: [Float] = []
            for (row, key) in small.items.keys.enumerated() {
                let other = try #require(KeyIndex(dataset.items.keys).row(of: key))
                let (old, new) = (
                    tables[0][(row + 1) * width..<(row + 2) * width],
                    tables[1][(other + 1) * width..<(other + 2) * width]
                )
                moved.append(
                    zip(old, new).reduce(0) { $0 + abs($1.0 - $1.1) } / (old.reduce(0) { $0 + abs($1) } + 1e-6))
            }
            // A few hours' clicks move most items little or not at all: they are where they were.
            #expect(moved.sorted()[moved.count / 2] < 0.35, "\(moved.sorted()[moved.count / 2])")
        }
    }

    @Test func whatCannotBeContinuedIsRefused() throws {
        let dataset = try world()
        let start = dataset.exposures.times[0]
        try withStore { store in
            #expect(throws: TrainingError.self) { try ContinuedModel(nil, in: store) }
            let full = try train(dataset.until(start + 5 * Self.day), into: store).manifest
            let none = #expect(throws: TrainingError.self) {
                try update(dataset.until(start + 5 * Self.day), in: store)
            }
            #expect(none?.message.contains("has 0 clicks after those that \(full.version) was trained on") == true)
            let old = #expect(throws: TrainingError.self) {
                try train(dataset.until(start + 5 * Self.day), into: store, from: full.version)
            }
            #expect(old?.message.contains("has no row after those that \(full.version)") == true)
            var other = options()
            other.dimension = 8
            let model = try ContinuedModel(full.version, in: store)
            let mismatch = #expect(throws: TrainingError.self) {
                try TrainingPipeline(dataset, options: other, progress: .silent, continuing: model)
            }
            #expect(mismatch?.message.hasPrefix("--continue-from:") == true)
        }
    }
}

extension Dataset {
    /// The rows before a moment.
    fileprivate func until(_ milliseconds: Int64) -> Dataset {
        var result = self
        let count = exposures.times.firstIndex { $0 >= milliseconds } ?? exposures.count
        result.exposures = exposures.subset(Array(0..<count))
        let known = rejected.times.firstIndex { $0 >= milliseconds } ?? rejected.count
        result.rejected = RejectedTable(
            users: SharedBuffer(rejected.users.prefix(known)), items: SharedBuffer(rejected.items.prefix(known)),
            times: SharedBuffer(rejected.times.prefix(known)))
        return result
    }

    /// The data set that was never told of some of its items and users.
    fileprivate func without(items isItemLost: (Int) -> Bool, users isUserLost: (Int) -> Bool) throws -> Dataset {
        var builder = DatasetBuilder(name: name, userFields: self.users.fields.map(\.name))
        for row in 0..<users.count where !isUserLost(row) {
            let fields = users.fields.map { $0.vocabulary[Int($0.values[row])] }
            try builder.addUser(users.publicIDs[row], fields: fields)
        }
        for row in 0..<items.count where !isItemLost(row) {
            try builder.addItem(
                items.publicIDs[row],
                details: ItemDetails(
                    title: items.titles[row], category: items.categoryNames[Int(items.categories[row])],
                    author: String(items.authors[row]), publishMilliseconds: items.publishTimes[row],
                    durationSeconds: items.durations[row]))
        }
        for row in 0..<exposures.count {
            let (user, item) = (Int(exposures.users[row]), Int(exposures.items[row]))
            guard !isUserLost(user), !isItemLost(item) else { continue }
            builder.addEvent(
                user: try builder.addUser(
                    users.publicIDs[user], fields: users.fields.map { $0.vocabulary[Int($0.values[user])] }),
                item: UInt32((0...item).count { !isItemLost($0) } - 1), timeMilliseconds: exposures.times[row],
                actions: Actions(rawValue: exposures.actions[row]), watchSeconds: exposures.watchSeconds[row])
        }
        return try builder.build().dataset
    }
}
