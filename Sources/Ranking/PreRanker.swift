public import Blobs
public import Catalog
import Features
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

    /// Candidates per tile: their tensors stay in the second-level cache.
    private static let tile = 128
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
        let scratch = lock.withLock { _ in idle.popLast() } ?? Scratch()
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
        for start in stride(from: 0, to: count, by: tile) { body(start..<min(start + tile, count)) }
    }

    private func runUserTower(_ state: UserState, _ scene: Scene, _ scratch: Scratch) {
        scratch.user.removeAll()
        scratch.user.append(state, scene, encoder: net.encoder)
        scratch.workspace.reset()
        let vector = net.model.users(scratch.user, in: scratch.workspace)
        scratch.userVector.removeAll(keepingCapacity: true)
        vector.withUnsafeBufferPointer { scratch.userVector.append(contentsOf: $0) }
        scratch.cross.begin(state, scene, encoder: net.encoder, surface: net.surface(scene.surface))
    }

    /// Scores candidates `range` of the scratch.
    private func score(_ range: Range<Int>, _ scratch: Scratch) {
        let features = net.model.specification.cross
        let workspace = scratch.workspace
        workspace.reset()
        scratch.tile.removeAll(keepingCapacity: true)
        scratch.tile.append(contentsOf: scratch.rows[range])
        let crosses = workspace.input(rows: range.count, columns: features.count) { values in
            for (place, row) in scratch.tile.enumerated() {
                let start = place * features.count
                scratch.cross.encode(
                    row: Int(row), signals: net.signals[Int(row)], columns: net.encoder.columns, features: features,
                    into: UnsafeMutableBufferPointer(rebasing: values[start..<start + features.count]))
            }
        }
        score(range.count, net.items(scratch.tile, in: workspace), crosses, scratch)
    }

    /// Scores live candidates `range` of the scratch.
    private func scoreLive(_ range: Range<Int>, _ scratch: Scratch) {
        let features = net.model.specification.cross
        let workspace = scratch.workspace
        workspace.reset()
        let crosses = workspace.input(rows: range.count, columns: features.count) { values in
            for (place, entry) in scratch.live[range].enumerated() {
                let start = place * features.count
                scratch.cross.encode(
                    entry.features, signals: entry.signals, features: features,
                    into: UnsafeMutableBufferPointer(rebasing: values[start..<start + features.count]))
            }
        }
        let vectors = scratch.live[range].flatMap(\.vector)
        score(range.count, workspace.input(vectors, columns: vectors.count / range.count), crosses, scratch)
    }

    /// - Parameters:
    ///   - items: `[count, d]`.
    ///   - crosses: `[count, features]`.
    private func score(_ count: Int, _ items: Tensor, _ crosses: Tensor, _ scratch: Scratch) {
        let workspace = scratch.workspace
        let outputs = net.model.head(
            users: workspace.input(scratch.userVector, columns: scratch.userVector.count), items: items,
            features: crosses, in: workspace)
        let fusion = net.model.specification.fusion
        for place in 0..<count {
            let click = 1 / (1 + exponential(-outputs.click[place, 0]))
            let watch = exponential(outputs.watch[place, 0])
            scratch.append(click: click, watch: watch, score: fusion.score(click: click, watchSeconds: watch))
        }
    }
}
