public import Blobs
public import Catalog
public import Features
import Inference
import Kernels
public import Models
import Networks

/// The pre-ranking stage: scores a request's candidates by the three-tower model.
///
/// The user tower runs once per request, item towers come from the snapshot, cross tower and head run once per
/// candidate, in tiles. Deterministic; any number of requests may run at once.
public final class PreRanker: Sendable {
    let net: PreRankNet
    let fusion: FusionFormula
    /// What statistics say of items, kept up to date by what the ranker is told.
    let signals: LiveSignals
    let clock: LogClock
    private let liveTowers = LiveItemTowers()

    /// - Parameters:
    ///   - file: The snapshot's `prerank` component.
    ///   - items: Its catalogue.
    ///   - itemIndex: Rows of the catalogue by key; made when left out.
    ///   - version: of the snapshot.
    ///   - clock: of its log; what happens up to its end is counted already.
    public convenience init(
        _ file: SafetensorsFile, items: ItemTable, itemIndex: KeyIndex? = nil, version: String = "",
        clock: LogClock = LogClock(dataUntil: .max)
    ) throws {
        try self.init(
            net: try PreRankNet(file, items: items, itemIndex: itemIndex), version: version, clock: clock)
    }

    /// - Parameters:
    ///   - version: of the snapshot.
    ///   - clock: of its log; what happens up to its end is counted already.
    public init(net: PreRankNet, version: String = "", clock: LogClock = LogClock(dataUntil: .max)) throws {
        self.net = net
        signals = LiveSignals(net, version: version, clock: clock)
        self.clock = clock
        fusion = try FusionFormula(
            net.model.specification.fusion, heads: ThreeTowerSpecification.heads, of: "the pre-ranker")
    }

    /// Of the catalogue.
    public var columns: ItemFeatureColumns { net.encoder.columns }

    /// Scores candidates and puts them in order.
    ///
    /// - Parameters:
    ///   - items: Candidates, in any order.
    ///   - live: Those of them that the snapshot does not have; their towers run on the spot, once.
    /// - Complexity: O(candidates * (cross tower + head)); nothing is allocated per candidate.
    func run(
        _ state: UserState, _ scene: Scene, items: SharedBuffer<ItemKey>, live: [LiveItem],
        in scratch: PreRankScratch
    ) {
        var itemTowers = 0
        scratch.begin(items, now: scene.asOf, net: net, live: live) {
            liveTowers.entry(of: $0, net: net, runs: &itemTowers)
        }
        scratch.towers.item = itemTowers
        if scratch.count > 0 {
            signals.read { signals in
                runUserTower(state, scene, scratch, signals)
                Self.tiles(scratch.rows.count) { predict($0, scratch, signals) }
                Self.tiles(scratch.live.count) { predictLive($0, scratch, signals) }
            }
            scratch.towers.user = 1
            (scratch.towers.cross, scratch.towers.head) = (scratch.count, scratch.count)
        }
        fuse(scratch)
        scratch.sort()
    }

    private static func tiles(_ count: Int, _ body: (Range<Int>) -> Void) {
        for start in stride(from: 0, to: count, by: Tile.rows) { body(start..<min(start + Tile.rows, count)) }
    }

    private func runUserTower(
        _ state: UserState, _ scene: Scene, _ scratch: PreRankScratch, _ signals: borrowing SignalTable
    ) {
        scratch.user.removeAll()
        scratch.user.append(state, scene, encoder: net.encoder)
        scratch.workspace.reset()
        net.model.users(scratch.user, in: scratch.workspace).withUnsafeBufferPointer {
            net.head.begin($0, in: scratch.head)
        }
        scratch.cross.begin(state, scene, encoder: net.encoder, surface: signals.surface(scene.surface))
    }

    /// Predicts for catalogue candidates `range` of the scratch.
    private func predict(_ range: Range<Int>, _ scratch: PreRankScratch, _ signals: borrowing SignalTable) {
        scratch.takeFeatures(range, signals)
        // Taken out of their objects once: each would be retained and released for every candidate.
        let (cross, names) = (scratch.cross, net.model.specification.cross)
        predict(range, scratch) { inputs in
            scratch.rows.withUnsafeBufferPointer { rows in
                let rows = UnsafeBufferPointer(rebasing: rows[range])
                net.copyItems(rows, to: inputs.vectors, stride: inputs.vectorStride)
                for (place, row) in rows.enumerated() {
                    let item = signals.of(row: Int(row))
                    cross.encode(
                        row: Int(row), item.features, age: scratch.ages[place], signals: item.signals, features: names,
                        into: inputs.features(of: place, count: names.count))
                }
            }
        }
    }

    /// Predicts for live candidates `range` of the scratch.
    private func predictLive(_ range: Range<Int>, _ scratch: PreRankScratch, _ signals: borrowing SignalTable) {
        scratch.takeFeatures(ofLive: range)
        let (cross, names) = (scratch.cross, net.model.specification.cross)
        predict(range, scratch) { inputs in
            for (place, entry) in scratch.live[range].enumerated() {
                entry.vector.withUnsafeBufferPointer { own in
                    guard let base = own.baseAddress else { return }
                    (inputs.vectors + place * inputs.vectorStride).update(from: base, count: own.count)
                }
                cross.encode(
                    row: nil, entry.features, age: scratch.ages[place], signals: signals.of(entry.features),
                    features: names, into: inputs.features(of: place, count: names.count))
            }
        }
    }

    /// - Parameter fill: See `PreRankHead.run`.
    private func predict(
        _ range: Range<Int>, _ scratch: PreRankScratch, fill: (PreRankHead.TileInputs) -> Void
    ) {
        let count = range.count
        net.head.run(rows: count, in: scratch.head, fill: fill) { results in
            let first = scratch.predictions.count
            for place in 0..<count {
                scratch.predictions.append(-results[2 * place])
                scratch.predictions.append(results[2 * place + 1])
            }
            scratch.predictions.withUnsafeMutableBufferPointer { predictions in
                guard let own = predictions.baseAddress.map({ $0 + first }) else { return }
                kernels.exponential(own, own, count: 2 * count)
                for place in 0..<count { own[2 * place] = 1 / (1 + own[2 * place]) }
            }
        }
    }

    private func fuse(_ scratch: PreRankScratch) {
        scratch.attributes.fill(for: fusion, items: scratch.features)
        scratch.predictions.withUnsafeBufferPointer { predictions in
            fusion.score(
                FusionCandidates(
                    keys: scratch.keys, predictions: predictions, durations: scratch.attributes.durations,
                    qualities: scratch.attributes.qualities, prices: scratch.attributes.prices), in: scratch.fusion)
        }
    }
}
