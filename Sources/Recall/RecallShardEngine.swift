public import Blobs
public import Catalog
import Kernels
import Models
import Synchronization

/// Every channel of one shard of one snapshot. Immutable; any number of requests may run at once.
public final class RecallShardEngine: Sendable {
    public let shard: Int
    public let shardCount: Int
    private let channels: [String: any RecallChannel]
    private let live: LiveItems?
    /// The live items that this snapshot lacks, as of the last look at the segment.
    private let view = Mutex(LiveView.empty)
    /// Items of the snapshot, ascending; empty for an engine without a catalogue.
    private let catalogue: SharedBuffer<ItemKey>
    private let tower: TwoTowerItemNet?
    /// Items whose impressions are the new-item channel's matter.
    private let newItems: KeyIndex
    /// As many as requests ever ran at once.
    private let scratches = Mutex<[RecallScratch]>([])

    /// Kinds of snapshot components that a shard needs for these channels: its own, and of the cluster's those that tell
    /// which items are newer than the snapshot, and what their vectors are.
    public static func componentKinds(for channels: Set<String>) -> Set<String> {
        Set(ChannelLoader.all.filter { channels.contains($0.name) }.map(\.component)).union(["catalog", "two-tower"])
    }

    /// - Parameters:
    ///   - components: by kind; a channel without its component answers with an error.
    ///   - live: the process's live segment.
    /// - Throws: when a component is not what its channel reads.
    public init(
        shard: Int, of shardCount: Int, components: [String: SafetensorsFile], live: LiveItems? = nil
    ) throws {
        self.shard = shard
        self.shardCount = shardCount
        self.live = live
        let items = try components["catalog"].map { try ItemTable($0) }
        catalogue = items?.keys ?? []
        tower = try components["two-tower"].flatMap { file in try items.map { try TwoTowerItemNet(file, items: $0) } }
        var channels: [String: any RecallChannel] = [:]
        for loader in ChannelLoader.all {
            if let file = components[loader.component] { channels[loader.name] = try loader.load(file) }
        }
        self.channels = channels
        newItems = KeyIndex((channels[ChannelName.newItem] as? NewItemChannel)?.items ?? [])
        refreshLiveItems()
    }

    /// An engine of channels made elsewhere: by a build that is being evaluated, by a test.
    public init(
        shard: Int, of shardCount: Int, channels: [String: any RecallChannel], live: LiveItems? = nil
    ) {
        self.shard = shard
        self.shardCount = shardCount
        self.channels = channels
        self.live = live
        catalogue = []
        tower = nil
        newItems = KeyIndex()
    }

    public var channelNames: [String] { channels.keys.sorted() }

    /// Runs the channels asked for, in their order. A channel that fails answers with its error; the others are not
    /// affected.
    public func recall(_ query: RecallQuery) -> [ChannelResult] {
        let scratch = scratches.withLock { $0.popLast() } ?? RecallScratch()
        defer { scratches.withLock { $0.append(scratch) } }
        scratch.exclude(query.excludedItems)
        scratch.impressions = live?.impressions ?? LiveItems.Impressions()
        scratch.live = refreshLiveItems()
        return query.channels.map { run($0, query, scratch.live, scratch) }
    }

    /// Looks at the process's live items again, if they changed. Whoever changes them calls this, so that no request has to
    /// run the item tower.
    @discardableResult
    public func refreshLiveItems() -> LiveView {
        guard let segment = live?.segment else { return .empty }
        let last = view.withLock { $0 }
        if last.revision == segment.revision { return last }
        let fresh = LiveView(segment, isKnown: hasItem, tower: tower, previous: last)
        view.withLock { if $0.revision < fresh.revision { $0 = fresh } }
        return fresh
    }

    /// The live items among the candidates of some results.
    public func liveItems(in results: [ChannelResult]) -> [LiveItem] {
        let view = view.withLock { $0 }
        guard !view.keys.isEmpty else { return [] }
        var found: Set<ItemKey> = []
        for result in results {
            for item in result.candidates.items where view.contains(item) { found.insert(item) }
        }
        return found.sorted().compactMap { view[$0] }
    }

    /// Whether the snapshot has the item.
    ///
    /// - Complexity: O(log items).
    public func hasItem(_ item: ItemKey) -> Bool {
        catalogue.ascendingIndex(of: item) != nil
    }

    /// Whether anyone asks how often the item was shown: it is in the new-item list, or live.
    public func countsImpressions(of item: ItemKey) -> Bool {
        newItems.row(of: item) != nil || view.withLock { $0.contains(item) }
    }

    private func run(
        _ request: ChannelRequest, _ query: RecallQuery, _ live: LiveView, _ scratch: RecallScratch
    ) -> ChannelResult {
        let clock = ContinuousClock()
        let start = clock.now
        var result = ChannelResult(channel: request.channel)
        do throws(RecallError) {
            guard let channel = channels[request.channel] else {
                throw RecallError(
                    .invalidRequest,
                    "shard \(shard) has no channel \"\(request.channel)\"; it has \(channelNames.joined(separator: ", "))"
                )
            }
            if request.limit > 0 {
                result.candidates = try channel.candidates(
                    for: query, input: request.input, limit: request.limit, scratch: scratch)
                if !live.keys.isEmpty, let channel = channel as? any LiveRecallChannel {
                    let found = channel.liveCandidates(
                        live, for: query, input: request.input, limit: request.limit, scratch: scratch)
                    result.candidates = ChannelMerge.merge([result.candidates, found], limit: request.limit)
                }
            }
        } catch {
            result.error = error.message
        }
        result.duration = clock.now - start
        return result
    }
}
