public import Blobs
public import Catalog
public import Features
import Kernels
public import Models
import Synchronization

/// The ranking model of a snapshot: features, net and calibrators.
// Sendable: immutable but for the statistics, which lock; workspaces are borrowed by one request at a time.
public final class RankingModel: RankingStage, @unchecked Sendable {
    public let heads: [String]
    public let finishRates: [String: FinishRate]
    private let net: RankerNet
    private let encoder: RankingEncoder
    private let counts: LiveStatistics
    private let observation: FeatureObservation
    /// By head.
    private let calibrators: [Calibrator?]
    private let lock = Mutex<Void>(())
    private var idle: [RankingWorkspace] = []

    /// Workspaces kept when idle; more than the threads that serve would only hold memory.
    private static let idleMax = 16

    /// A snapshot's components of the model.
    public struct Components {
        public var ranker: SafetensorsFile
        public var calibration: SafetensorsFile?
        /// Rows with what the trainer's net predicts of them; nil: the net is not compared with the trainer's.
        public var golden: SafetensorsFile?

        public init(ranker: SafetensorsFile, calibration: SafetensorsFile?, golden: SafetensorsFile?) {
            self.ranker = ranker
            self.calibration = calibration
            self.golden = golden
        }
    }

    /// - Parameters:
    ///   - encoder: of the component `ranker`, see `RankerFeatures`.
    ///   - statistics: for the same schema.
    /// - Throws: `ModelError` for components that contradict each other, and for a net that does not predict what the
    ///   trainer's did.
    public init(_ components: Components, encoder: RankingEncoder, statistics: LiveStatistics) throws {
        net = try RankerNet(components.ranker)
        self.encoder = encoder
        counts = statistics
        observation = FeatureObservation(encoder.fitted)
        heads = net.specification.heads.map(\.name)
        let calibration = try components.calibration.map { try RankerCalibration($0) }
        calibrators = heads.map { calibration?.heads[$0] }
        finishRates = calibration?.finishRates ?? [:]
        if let golden = components.golden { try RankerGolden(golden).check(net) }
        try rehearse()
    }

    public var statistics: LiveStatistics? { counts }
    public var features: [FeatureStanding] { observation.standings }

    public func predict(
        _ state: UserState, _ scene: Scene, _ candidates: [RankingCandidate],
        into predictions: UnsafeMutableBufferPointer<Float>
    ) {
        let workspace = lock.withLock { _ in idle.popLast() } ?? RankingWorkspace(RankingRequest(encoder))
        defer {
            lock.withLock { _ in if idle.count < Self.idleMax { idle.append(workspace) } }
        }
        let isObserved = observation.begins(workspace)
        defer { if isObserved { observation.end(workspace) } }
        net.run(
            inputs(state, scene, candidates, workspace), in: workspace.scratch(net, rows: candidates.count),
            into: predictions)
        for (head, calibrator) in calibrators.enumerated() {
            calibrator?.calibrate(predictions, column: head, of: heads.count)
        }
    }

    private func inputs(
        _ state: UserState, _ scene: Scene, _ candidates: [RankingCandidate], _ workspace: RankingWorkspace
    ) -> RankerInputs {
        counts.read { statistics in
            workspace.request.begin(state, scene, statistics: statistics)
            return workspace.request.encode(candidates, statistics: statistics)
        }
    }

    /// Makes inputs once, of an unknown user and the first item: they must be such as the net reads.
    private func rehearse() throws {
        for (table, rows) in encoder.fitted.rows.sorted(by: { $0.key < $1.key }) where rows > net.rows[table] ?? rows {
            throw ModelError(
                .mismatch,
                "\(net.path): table '\(table)': the features have \(rows) rows, the net \(net.rows[table] ?? 0)")
        }
        guard encoder.columns.count > 0 else { return }
        let inputs = inputs(
            UserState(user: UserKey(rawValue: 0), isKnown: false, profile: []), Scene(timeMilliseconds: 0),
            [RankingCandidate(row: 0, columns: encoder.columns)], RankingWorkspace(RankingRequest(encoder)))
        try net.specification.check(inputs, rows: net.rows, path: "\(net.path): the features' inputs")
    }
}

/// What one request writes while it is ranked.
final class RankingWorkspace {
    var request: RankingRequest
    private var scratch: RankerNet.Scratch?
    private var rowsMax = 0

    /// Rows that a scratch is made for at least.
    private static let rowsMin = 512

    init(_ request: RankingRequest) {
        self.request = request
    }

    func scratch(_ net: RankerNet, rows: Int) -> RankerNet.Scratch {
        if let scratch, rows <= rowsMax { return scratch }
        rowsMax = max(rows, Self.rowsMin)
        let scratch = RankerNet.Scratch(net, rowsMax: rowsMax)
        self.scratch = scratch
        return scratch
    }
}
