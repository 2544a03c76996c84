import Kernels

/// Experts mixed for several tasks: MMoE (Ma et al., KDD 2018), or PLE (Tang et al., RecSys 2020), level after level.
public final class MixtureNet: Sendable {
    private let levels: [Level]
    /// Mixtures that come out.
    public let tasks: Int
    public let need: ArenaNeed

    /// One level of PLE. Gates weigh a task's own experts, then the shared ones; the shared gate those of all tasks in order,
    /// then the shared ones.
    public struct ExtractionLevel: Sendable {
        /// `[tasks][own]`, layers of each expert.
        public var own: [[[LayerWeights]]]
        public var shared: [[LayerWeights]]
        public var gates: [LayerWeights]
        /// nil at the last level.
        public var sharedGate: LayerWeights?

        public init(
            own: [[[LayerWeights]]], shared: [[LayerWeights]], gates: [LayerWeights], sharedGate: LayerWeights?
        ) {
            self.own = own
            self.shared = shared
            self.gates = gates
            self.sharedGate = sharedGate
        }
    }

    /// MMoE: the experts' first layers stand side by side, and so do the gates; the input is read, and quantised, once.
    ///
    /// - Parameters:
    ///   - experts: Layers of each expert; all experts have the same shapes.
    ///   - gates: For each task `[inputs, experts]`; their softmax weighs the experts.
    public convenience init(experts: [[LayerWeights]], gates: [LayerWeights]) {
        self.init([Level([Group(experts: experts, gates: gates)])])
    }

    /// PLE. At the first level all read the same input, as in MMoE; after it each task's experts and gate read its mixture.
    public convenience init(_ levels: [ExtractionLevel]) {
        self.init(
            levels.enumerated().map { index, level in
                let groups = Self.groups(level)
                guard index == 0 else { return Level(groups) }
                return Level([Group(experts: groups.flatMap(\.experts), gates: groups.flatMap(\.gates))])
            })
    }

    private init(_ levels: [Level]) {
        precondition(
            !levels.isEmpty && zip(levels, levels.dropFirst()).allSatisfy { $0.mixtures == $1.groups.count },
            "a level reads the mixtures of the one before it")
        self.levels = levels
        tasks = levels[levels.count - 1].mixtures
        // Mixtures between two levels.
        let between = levels.dropLast().reduce(ArenaNeed()) {
            $0 + ArenaNeed(floats: Tile.rows * $1.mixtures * $1.width)
        }
        need = between + levels.reduce(ArenaNeed()) { .either($0, $1.need) }
    }

    /// Each task's experts and gate, then the shared ones. A gate has a place for every expert of the level; those it does
    /// not weigh get none of it.
    private static func groups(_ level: ExtractionLevel) -> [Group] {
        let own = level.own[0].count
        let all = level.own.count * own + level.shared.count
        let shared = Array(level.own.count * own..<all)
        let tasks = zip(level.own.indices, zip(level.own, level.gates)).map { task, parts in
            let gate = parts.1.spread(
                to: Array(task * own..<(task + 1) * own) + shared, of: all, others: excluded)
            return Group(experts: parts.0, gates: [gate])
        }
        return tasks + [Group(experts: level.shared, gates: level.sharedGate.map { [$0] } ?? [])]
    }

    /// The exponential of it is nothing beside that of any logit.
    private static let excluded: Float = -1e9

    public var inputs: Int { levels[0].groups[0].experts.inputs }
    /// Columns of a mixture.
    public var outputs: Int { levels[levels.count - 1].width }
    public var operations: Int { levels.reduce(0) { $0 + $1.operations } }

    /// Runs at most `Tile.rows` rows.
    ///
    /// - Parameters:
    ///   - x: `[rows, inputs]`, rows `stride` floats apart.
    ///   - y: `[tasks, rows, outputs]`, overwritten.
    public func runTile(
        _ x: UnsafePointer<Float>, stride: Int, rows: Int, into y: UnsafeMutablePointer<Float>, in arena: InferenceArena
    ) {
        arena.scope {
            var (from, step, apart) = (x, stride, 0)
            for (index, level) in levels.enumerated() {
                let isLast = index == levels.count - 1
                let to = isLast ? y : arena.take(rows * level.mixtures * level.width)
                level.run(from, stride: step, apart: apart, rows: rows, into: to, in: arena)
                (from, step, apart) = (UnsafePointer(to), level.width, rows * level.width)
            }
        }
    }
}

/// Experts and gates that read one input.
private struct Group {
    var experts: [[LayerWeights]]
    var gates: [LayerWeights]
}

/// Experts of one level and all mixtures of them.
private struct Level: Sendable {
    let groups: [Member]
    /// Columns of an expert's output, and of a mixture.
    let width: Int
    let mixtures: Int
    private let experts: Int
    let need: ArenaNeed

    struct Member: Sendable {
        let experts: Experts
        let firstExpert: Int
        /// nil when no mixture is of this input.
        let gates: SideBySide?
        let firstGate: Int
    }

    init(_ groups: [Group]) {
        var members: [Member] = []
        var (experts, mixtures) = (0, 0)
        for group in groups {
            members.append(
                Member(
                    experts: Experts(group.experts), firstExpert: experts,
                    gates: group.gates.isEmpty ? nil : SideBySide(group.gates), firstGate: mixtures))
            experts += group.experts.count
            mixtures += group.gates.count
        }
        width = members[0].experts.outputs
        let columns = experts
        precondition(
            groups.allSatisfy { $0.gates.allSatisfy { $0.outputs == columns } }
                && members.allSatisfy { [width] in $0.experts.outputs == width }
                && members.allSatisfy { ($0.gates?.inputs ?? $0.experts.inputs) == $0.experts.inputs },
            "experts of one width, gates that weigh all of them and read what they read")
        need =
            ArenaNeed(floats: Tile.rows * experts * width) + ArenaNeed(floats: Tile.rows * mixtures * experts)
            + members.reduce(ArenaNeed()) { .either($0, .either($1.experts.need, $1.gates?.need ?? ArenaNeed())) }
        self.groups = members
        self.experts = experts
        self.mixtures = mixtures
    }

    var operations: Int {
        groups.reduce(2 * mixtures * experts * width) { $0 + $1.experts.operations + ($1.gates?.operations ?? 0) }
    }

    /// - Parameters:
    ///   - apart: Floats from one group's input to the next one's.
    ///   - y: `[mixtures, rows, width]`, overwritten.
    func run(
        _ x: UnsafePointer<Float>, stride: Int, apart: Int, rows: Int, into y: UnsafeMutablePointer<Float>,
        in arena: InferenceArena
    ) {
        arena.scope {
            let values = arena.take(rows * experts * width)
            let weights = arena.take(rows * mixtures * experts)
            for (index, group) in groups.enumerated() {
                let from = x + index * apart
                // Both read the same; what the gates quantise, the experts find.
                let isQuantized =
                    group.gates?.run(
                        from, stride: stride, rows: rows, into: weights + group.firstGate * experts,
                        outputStride: mixtures * experts, in: arena) ?? false
                group.experts.run(
                    from, stride: stride, rows: rows, isQuantized: isQuantized,
                    into: values + group.firstExpert * width, outputStride: experts * width, in: arena)
            }
            kernels.mix(values, gates: weights, rows: rows, tasks: mixtures, experts: experts, width: width, into: y)
        }
    }
}
