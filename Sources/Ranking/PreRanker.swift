public import Blobs
public import Catalog
import Features
import Inference
public import Kernels
public import Models
import Networks
import Synchronization

/// The pre-ranking stage: scores a request's candidates by the three-tower model and returns the best.
///
/// The user tower runs once per request, item towers come from the snapshot, cross tower and head run once per
/// candidate, in tiles. Deterministic; any number of requests may run at once.
// Sendable: the net is immutable, scratches are borrowed by one request at a time.
public final class PreRanker: @unchecked Sendable {
    private let net: PreRankNet
    private let liveTowers = LiveItemTowers()
    private let lock = Mutex<Void>(())
    private var idle: [Scratch] = []

    /// Item vectors that are asked for ahead of their use: memory takes about as long as eight candidates' features.
    private static let itemsAhead = 8
    /// Scratches kept when idle; more than the threads that serve would only hold memory.
    private static let idleMax = 16

    /// - Parameters:
    ///   - file: The snapshot's `prerank` component.
    ///   - items: Its catalogue.
    ///   - itemIndex: Rows of the catalogue by key; made when left out.
    public convenience init(_ file: SafetensorsFile, items: ItemTable, itemIndex: KeyIndex? = nil) throws {
        self.init(net: try PreRankNet(file, items: items, itemIndex: itemIndex))
    }

    public init(net: PreRankNet) {
        self.net = net
    }

    /// - Parameters:
    ///   - items: Candidates, in any order.
    ///   - live: Those of them that the snapshot does not have; their towers run on the spot, once.
    ///   - limit: Items wanted back; 0 for all.
    /// - Complexity: O(candidates * (cross tower + head)); nothing is allocated per candidate.
    public func rank(
        _ state: UserState, _ scene: Scene, items: SharedBuffer<ItemKey>, live: [LiveItem] = [], limit: Int
    ) -> RankedItems {
        let scratch = lock.withLock { _ in idle.popLast() } ?? Scratch(net.head)
        defer {
            lock.withLock { _ in if idle.count < Self.idleMax { idle.append(scratch) } }
        }
        var towers = TowerCounts()
        scratch.begin(items, net: net, live: live) { liveTowers.entry(of: $0, net: net, runs: &towers.item) }
        if scratch.count > 0 {
            runUserTower(state, scene, scratch)
            towers.user = 1
            Self.tiles(scratch.rows.count) { score($0, scratch) }
            Self.tiles(scratch.live.count) { scoreLive($0, scratch) }
            towers.cross = scratch.count
            towers.head = scratch.count
        }
        var result = scratch.best(limit, of: items)
        result.towers = towers
        result.unknownItems = items.count - scratch.count
        return result
    }

    private static func tiles(_ count: Int, _ body: (Range<Int>) -> Void) {
        for start in stride(from: 0, to: count, by: Tile.rows) { body(start..<min(start + Tile.rows, count)) }
    }

    private func runUserTower(_ state: UserState, _ scene: Scene, _ scratch: Scratch) {
        scratch.user.removeAll()
        scratch.user.append(state, scene, encoder: net.encoder)
        scratch.workspace.reset()
        net.model.users(scratch.user, in: scratch.workspace).withUnsafeBufferPointer {
            net.head.begin($0, in: scratch.head)
        }
        scratch.cross.begin(state, scene, encoder: net.encoder, surface: net.surface(scene.surface))
    }

    /// Scores candidates `range` of the scratch.
    private func score(_ range: Range<Int>, _ scratch: Scratch) {
        // Taken out of their objects once: each would be retained and released for every candidate.
        let (cross, rows, signals) = (scratch.cross, scratch.rows, net.signals)
        let (columns, features) = (net.encoder.columns, net.model.specification.cross)
        for place in range.prefix(Self.itemsAhead) { net.prefetchItem(Int(rows[place])) }
        score(range.count, scratch) { place, vector, values in
            let next = range.lowerBound + place + Self.itemsAhead
            if next < range.upperBound { net.prefetchItem(Int(rows[next])) }
            let row = Int(rows[range.lowerBound + place])
            net.copyItem(row, to: vector)
            cross.encode(row: row, signals: signals[row], columns: columns, features: features, into: values)
        }
    }

    /// Scores live candidates `range` of the scratch.
    private func scoreLive(_ range: Range<Int>, _ scratch: Scratch) {
        let (cross, live, features) = (scratch.cross, scratch.live, net.model.specification.cross)
        score(range.count, scratch) { place, vector, values in
            let entry = live[range.lowerBound + place]
            entry.vector.withUnsafeBufferPointer { own in
                if let base = own.baseAddress { vector.update(from: base, count: own.count) }
            }
            cross.encode(entry.features, signals: entry.signals, features: features, into: values)
        }
    }

    /// - Parameter fill: See `PreRankHead.run`.
    private func score(
        _ count: Int, _ scratch: Scratch,
        fill: (Int, UnsafeMutablePointer<Float>, UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        let fusion = net.model.specification.fusion
        net.head.run(rows: count, in: scratch.head, fill: fill) { results in
            scratch.append(count) { place in
                let click = 1 / (1 + exponential(-results[2 * place]))
                let watch = exponential(results[2 * place + 1])
                return Scratch.Outcome(
                    click: click, watch: watch, score: fusion.score(click: click, watchSeconds: watch))
            }
        }
    }
}
