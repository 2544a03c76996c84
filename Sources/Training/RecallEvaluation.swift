import Blobs
import Catalog
import Evaluation
import Features
import Foundation
import Kernels
import Models
import Recall
import VectorIndex

/// Runs every recall channel, built from what came before the split, for users who clicked something new after it.
struct RecallEvaluation {
    let dataset: Dataset
    let split: TimeSplit
    let training: TwoTowerTraining
    let encoder: FeatureEncoder
    /// `[U]`, user states at the split.
    let states: [UserState]
    let threads: Int

    private static let depth = 100
    /// Users are taken evenly from all who have something to find.
    private static let usersMax = 5_000
    private static let channels = [
        ChannelName.twoTower, ChannelName.itemCF, ChannelName.popular, ChannelName.newest,
    ]

    /// What one user is asked about.
    private struct Task {
        var user: Int
        var seen: Set<ItemKey> = []
        var relevant: Set<ItemKey> = []
    }

    /// - Returns: nil when no user clicked a new item after the split.
    func figures() throws -> RecallFigures? {
        let tasks = tasks()
        guard !tasks.isEmpty else { return nil }
        let engine = try engine()
        let vectors = training.userVectors(tasks.map { states[$0.user] }, encoder: encoder)
        let width = training.model.specification.dimension
        var sums = Self.channels.map { _ in Sums() }
        var union = Sums()
        for (place, task) in tasks.enumerated() {
            let vector = SharedBuffer(vectors[place * width..<(place + 1) * width])
            let results = engine.recall(query(task, vector))
            var all: Set<ItemKey> = []
            for (channel, result) in results.enumerated() {
                sums[channel].add(result.candidates.items, task.relevant, depth: Self.depth, isOrdered: true)
                all.formUnion(result.candidates.items)
            }
            union.add(Array(all), task.relevant, depth: all.count, isOrdered: false)
        }
        return RecallFigures(
            depth: Self.depth, users: tasks.count,
            itemsPerUser: Double(tasks.reduce(0) { $0 + $1.relevant.count }) / Double(tasks.count),
            channels: zip(Self.channels, sums).map { $1.figures($0) }, union: union.figures("union"))
    }

    /// Users with clicks on items that they had not met before the split.
    private func tasks() -> [Task] {
        let log = dataset.exposures
        var byUser: [UInt32: Task] = [:]
        for row in split.held where Actions(rawValue: log.actions[row]).contains(.click) {
            byUser[log.users[row], default: Task(user: Int(log.users[row]))]
                .relevant.insert(dataset.items.keys[Int(log.items[row])])
        }
        for row in split.training { byUser[log.users[row]]?.seen.insert(dataset.items.keys[Int(log.items[row])]) }
        let found = byUser.values.compactMap { task -> Task? in
            var task = task
            task.relevant.subtract(task.seen)
            return task.relevant.isEmpty ? nil : task
        }.sorted { $0.user < $1.user }
        guard found.count > Self.usersMax else { return found }
        return (0..<Self.usersMax).map { found[$0 * found.count / Self.usersMax] }
    }

    private func query(_ task: Task, _ vector: SharedBuffer<Float>) -> RecallQuery {
        let liked = states[task.user].recent.reversed().filter { $0.actions.interest > 0 }
        return RecallQuery(
            user: states[task.user].user, triggers: SharedBuffer(liked.map(\.item)),
            triggerWeights: SharedBuffer(liked.map(\.actions.interest)), userVector: vector,
            channels: Self.channels.map { ChannelRequest(channel: $0, limit: Self.depth) },
            excludedItems: SharedBuffer(task.seen.sorted()),
            timeMilliseconds: dataset.exposures.times[split.held.lowerBound])
    }

    /// All channels over all items as one shard, the vectors searched exactly.
    private func engine() throws -> RecallShardEngine {
        let until = dataset.exposures.times[split.held.lowerBound]
        var options = VectorIndexOptions()
        options.exactMax = .max
        let index = try VectorIndex.build(
            keys: dataset.items.keys.reinterpreted(as: UInt64.self),
            vectors: SharedBuffer(training.itemVectors(dataUntil: until)),
            dimension: training.model.specification.dimension, queries: SharedBuffer(), options: options)
        let lists = ItemCFBuilder(threads: threads).build(dataset, until: until)
        return RecallShardEngine(
            shard: 0, of: 1,
            channels: [
                ChannelName.twoTower: VectorChannel(index: index),
                ChannelName.itemCF: try ItemCFChannel(component: Self.opened(lists.component(shard: 0, of: 1))),
                ChannelName.popular: try RankedListChannel(
                    component: Self.opened(RankedList.popular(dataset, until: until).component(shard: 0, of: 1))),
                ChannelName.newest: try RankedListChannel(
                    component: Self.opened(RankedList.newest(dataset, until: until).component(shard: 0, of: 1))),
            ])
    }

    /// The component as a shard would read it; its file is unlinked at once and lives as long as it is mapped.
    private static func opened(_ writer: SafetensorsWriter) throws -> SafetensorsFile {
        let url = FileManager.default.temporaryDirectory.appending(path: "tributary-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try writer.write(to: url.path())
        return try SafetensorsFile(path: url.path())
    }

    private struct Sums {
        private var users = 0.0
        private var recall = 0.0
        private var hitRate = 0.0
        private var gain: Double? = 0
        private var candidates = 0.0

        mutating func add(
            _ items: some Collection<ItemKey>, _ relevant: Set<ItemKey>, depth: Int, isOrdered: Bool
        ) {
            users += 1
            recall += RetrievalMetrics.recall(ranked: items, relevant: relevant, at: depth) ?? 0
            hitRate += RetrievalMetrics.hitRate(ranked: items, relevant: relevant, at: depth) ?? 0
            candidates += Double(items.count)
            let added = isOrdered ? RetrievalMetrics.normalizedGain(ranked: items, relevant: relevant, at: depth) : nil
            gain = gain.flatMap { sum in added.map { sum + $0 } }
        }

        func figures(_ channel: String) -> ChannelFigures {
            ChannelFigures(
                channel: channel, recall: recall / users, hitRate: hitRate / users,
                normalizedGain: gain.map { $0 / users }, candidates: candidates / users)
        }
    }
}
