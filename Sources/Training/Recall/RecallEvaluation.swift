import Blobs
import Catalog
import Evaluation
import Features
import Kernels
import Models
import Recall
import VectorIndex

/// Runs every recall channel, built from what came before the split, for users who clicked something new after it.
struct RecallEvaluation {
    /// The log up to the split.
    let log: RecallLog
    let split: TimeSplit
    let channels: [String]
    /// What the channels made of `log`.
    let components: [RecallComponents]

    private var dataset: Dataset { log.dataset }

    private static let depth = 100
    /// Users are taken evenly from all who have something to find.
    private static let usersMax = 5_000
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
        let (engine, encoders) = try (engine(), encoders())
        var sums = channels.map { _ in Sums() }
        var union = Sums()
        for task in tasks {
            let results = engine.recall(query(task, encoders))
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
            channels: zip(channels, sums).map { $1.figures($0) }, union: union.figures("union"))
    }

    /// Users with clicks on items that they had not met before the split.
    private func tasks() -> [Task] {
        let exposures = dataset.exposures
        var byUser: [UInt32: Task] = [:]
        for row in split.held where Actions(rawValue: exposures.actions[row]).contains(.click) {
            byUser[exposures.users[row], default: Task(user: Int(exposures.users[row]))]
                .relevant.insert(dataset.items.keys[Int(exposures.items[row])])
        }
        for row in split.training {
            byUser[exposures.users[row]]?.seen.insert(dataset.items.keys[Int(exposures.items[row])])
        }
        let found = byUser.values.compactMap { task -> Task? in
            var task = task
            task.relevant.subtract(task.seen)
            return task.relevant.isEmpty ? nil : task
        }.sorted { $0.user < $1.user }
        guard found.count > Self.usersMax else { return found }
        return (0..<Self.usersMax).map { found[$0 * found.count / Self.usersMax] }
    }

    private func query(_ task: Task, _ encoders: ChannelEncoders) -> RecallQuery {
        let user = RecallUser(state: log.states[task.user], timeMilliseconds: log.dataUntil)
        return RecallQuery(
            user,
            channels: encoders.requests(channels.map { ChannelRequest(channel: $0, limit: Self.depth) }, for: user),
            excludedItems: SharedBuffer(task.seen.sorted()))
    }

    /// All channels over all items as one shard.
    private func engine() throws -> RecallShardEngine {
        var files: [String: SafetensorsFile] = [:]
        for (kind, make) in components.flatMap(\.sharded) {
            files[kind] = try RecallComponents.opened(make(0, 1).tensors)
        }
        return try RecallShardEngine(shard: 0, of: 1, components: files)
    }

    private func encoders() throws -> ChannelEncoders {
        var files: [String: SafetensorsFile] = [:]
        for (kind, tensors) in components.flatMap(\.shared) { files[kind] = try RecallComponents.opened(tensors) }
        return try ChannelEncoders(components: files, catalogue: .init(items: dataset.items))
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
