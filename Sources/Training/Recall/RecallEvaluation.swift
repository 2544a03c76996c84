import Blobs
import Catalog
import Evaluation
import Features
import Kernels
import Models
import Recall
import Synchronization

import func Glibc.log2

/// Runs every recall channel, built from the part of a log that is learned from, for users who clicked something new in the
/// part that is held back.
struct RecallEvaluation {
    /// What the channels were built from.
    let log: RecallLog
    let channels: [String]
    let components: [RecallComponents]
    /// Clicks to find, rows of `exposures`, and the rows that tell what users had met.
    let held: [Int]
    let training: [Int]
    let exposures: ExposureTable

    /// Users are taken evenly from all who have something to find.
    static let usersMax = 5_000
    /// Users that a thread takes at a time.
    private static let chunk = 64

    /// - Returns: nil when no user clicked a new item in what is held back.
    func figures(usersMax: Int = usersMax) throws -> RecallFigures? {
        let tasks = RecallTask.tasks(exposures, training: training, held: held, max: usersMax)
        guard !tasks.isEmpty else { return nil }
        let (engine, encoders) = try (engine(), encoders())
        let catalogue = CatalogueFigures(exposures, training: training, items: log.dataset.items.count)
        let index = KeyIndex(log.dataset.items.keys)
        let chunks = (0..<tasks.count).pieces(of: Self.chunk).map { $0 }
        let tallies = Mutex([RecallTally?](repeating: nil, count: chunks.count))
        let offered = Mutex(channels.map { _ in ItemSet(items: log.dataset.items.count) })
        Threads(max(1, log.options.threads)).forEach(0..<chunks.count) { chunk in
            var tally = RecallTally(channels: channels.count)
            var own = channels.map { _ in ItemSet(items: log.dataset.items.count) }
            for task in tasks[chunks[chunk]] {
                let results = engine.recall(query(task, encoders, limit: RecallFigures.depths.max() ?? 0))
                tally.add(results, task, catalogue: catalogue, index: index, offered: &own)
            }
            tallies.withLock { $0[chunk] = tally }
            offered.withLock { sets in for channel in sets.indices { sets[channel].formUnion(own[channel]) } }
        }
        // In the order of the users, whichever thread had them.
        let total = tallies.withLock { $0 }.reduce(into: RecallTally(channels: channels.count)) { total, part in
            if let part { total.add(part) }
        }
        return total.figures(channels, coverage: offered.withLock { $0.map(\.share) }, catalogue: catalogue)
    }

    /// - Parameter limit: candidates of each channel.
    func query(_ task: RecallTask, _ encoders: ChannelEncoders, limit: Int) -> RecallQuery {
        let user = RecallUser(state: log.states[task.user], timeMilliseconds: log.dataUntil)
        let requests = channels.map { ChannelRequest(channel: $0, limit: limit) }
        return RecallQuery(
            user, channels: encoders.requests(requests, for: user),
            excludedItems: SharedBuffer(task.seen.map { log.dataset.items.keys[Int($0)] }))
    }

    /// All channels over all items as one shard.
    func engine() throws -> RecallShardEngine {
        var files: [String: SafetensorsFile] = [:]
        for (kind, make) in components.flatMap(\.sharded) {
            files[kind] = try RecallComponents.opened(make(0, 1).tensors)
        }
        return try RecallShardEngine(shard: 0, of: 1, components: files)
    }

    func encoders() throws -> ChannelEncoders {
        var files: [String: SafetensorsFile] = [:]
        for (kind, tensors) in components.flatMap(\.shared) { files[kind] = try RecallComponents.opened(tensors) }
        return try ChannelEncoders(components: files, catalogue: .init(items: log.dataset.items))
    }
}

/// What one user is asked about. Items are rows of the catalogue, ascending.
struct RecallTask {
    var user: Int
    /// Met in what is learned from: never to be found.
    var seen: [UInt32]
    /// To be found; not empty.
    var relevant: [UInt32]
    /// Items that he clicked in what is held back, and had met.
    var metAgain = 0

    /// Users with clicks on items that they had not met in what is learned from; at most `max`, taken evenly.
    static func tasks(_ exposures: ExposureTable, training: [Int], held: [Int], max: Int) -> [RecallTask] {
        var relevant: [UInt32: Set<UInt32>] = [:]
        for row in held { relevant[exposures.users[row], default: []].insert(exposures.items[row]) }
        var seen: [UInt32: Set<UInt32>] = [:]
        for row in training where relevant[exposures.users[row]] != nil {
            seen[exposures.users[row], default: []].insert(exposures.items[row])
        }
        let found = relevant.keys.sorted().compactMap { user -> RecallTask? in
            let met = seen[user] ?? []
            let new = (relevant[user] ?? []).subtracting(met)
            guard !new.isEmpty else { return nil }
            return RecallTask(
                user: Int(user), seen: met.sorted(), relevant: new.sorted(),
                metAgain: (relevant[user]?.count ?? 0) - new.count)
        }
        guard found.count > max else { return found }
        return (0..<max).map { found[$0 * found.count / max] }
    }
}

/// How often the items of the catalogue were clicked in what is learned from.
struct CatalogueFigures {
    /// `[N]`, bits: -log2 of the item's share of all clicks, each item's clicks counted as one more.
    let selfInformation: [Double]
    /// `[N]`: the most clicked items that together have half of all clicks.
    let isHead: [Bool]

    init(_ exposures: ExposureTable, training: [Int], items: Int) {
        var clicks = [Int](repeating: 0, count: items)
        for row in training where Actions(rawValue: exposures.actions[row]).contains(.click) {
            clicks[Int(exposures.items[row])] += 1
        }
        let total = clicks.reduce(0, +)
        selfInformation = clicks.map { -log2(Double($0 + 1) / Double(total + items)) }
        var isHead = [Bool](repeating: false, count: items)
        var covered = 0
        for item in clicks.indices.sorted(by: { (clicks[$1], $0) < (clicks[$0], $1) }) where covered * 2 < total {
            isHead[item] = true
            covered += clicks[item]
        }
        self.isHead = isHead
    }

    var headItems: Int { isHead.count { $0 } }
}

/// Rows of the catalogue, one bit each.
struct ItemSet {
    private var words: [UInt64]
    private let items: Int

    init(items: Int) {
        self.items = items
        words = [UInt64](repeating: 0, count: (items + 63) / 64)
    }

    mutating func insert(_ row: Int) { words[row / 64] |= 1 << UInt64(row % 64) }

    mutating func formUnion(_ other: ItemSet) {
        for word in words.indices { words[word] |= other.words[word] }
    }

    /// Share of the catalogue that is in the set.
    var share: Double { Double(words.reduce(0) { $0 + $1.nonzeroBitCount }) / Double(max(items, 1)) }
}
