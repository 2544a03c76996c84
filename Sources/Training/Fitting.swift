import Features
import Kernels
import Networks

/// What fitting any model needs: its tape and optimizer, the order of rows, and where progress goes.
final class Fitting {
    /// Rows of the log whose features are made and shuffled at a time: bounds memory, keeps the log's order in the large.
    static let stretch = 131_072

    let tape: Tape
    let optimizer: Optimizer
    let progress: TrainingProgress
    private(set) var generator: SeededGenerator
    private var losses: (sum: Double, weight: Double) = (0, 0)

    init(
        _ parameters: ParameterSet, optimizer configuration: Optimizer.Configuration, seed: UInt64, threads: Int,
        progress: TrainingProgress
    ) {
        tape = Tape(seed: seed, threads: Threads(threads))
        optimizer = Optimizer(parameters, configuration, threads: Threads(threads))
        generator = SeededGenerator(seed: seed, stream: 0x7368_7566)
        self.progress = progress
    }

    /// A moment of the fit: what was learned, and what will be drawn next.
    struct Checkpoint {
        fileprivate let optimizer: Optimizer.Checkpoint
        fileprivate let generator: SeededGenerator
    }

    func checkpoint() -> Checkpoint {
        Checkpoint(optimizer: optimizer.checkpoint(), generator: generator)
    }

    /// Goes on from a moment as though nothing had followed it.
    func restore(_ checkpoint: Checkpoint) {
        optimizer.restore(checkpoint.optimizer)
        generator = checkpoint.generator
    }

    /// The numbers `0..<count` in random order.
    func shuffled(_ count: Int) -> [Int] {
        Array(0..<count).shuffled(using: &generator)
    }

    /// Share of examples whose user is presented as new, half of them with a profile: keeps models good for new users.
    private static let newUsers: Float = 0.15

    func presentation() -> Replay.Presentation {
        presentation(unknown: Self.newUsers)
    }

    /// - Parameter share: Of the examples, whose user is presented as new.
    func presentation(unknown share: Float) -> Replay.Presentation {
        let draw = generator.uniform()
        return draw < share / 2 ? .stranger : draw < share ? .newcomer : .known
    }

    /// True with the given probability.
    func chance(_ probability: Float) -> Bool {
        generator.uniform() < probability
    }

    /// One optimizer step along the gradient of the loss that `makeLoss` puts on the tape.
    ///
    /// - Parameter reported: The loss that is told, when it is not the one that is minimised.
    func step(rows: Int, _ makeLoss: (Tape) -> (total: Tensor, reported: Tensor)) throws(TrainingError) {
        tape.reset()
        let loss = makeLoss(tape)
        let value = loss.reported[0, 0]
        guard loss.total[0, 0].isFinite else {
            throw TrainingError(.diverged, "the loss is not finite after \(optimizer.steps) steps; lower --epochs")
        }
        tape.backward(from: loss.total)
        optimizer.step()
        losses.sum += Double(value) * Double(rows)
        losses.weight += Double(rows)
    }

    /// Mean loss since the last call.
    func takeLoss() -> Double {
        defer { losses = (0, 0) }
        return losses.weight > 0 ? losses.sum / losses.weight : 0
    }

    var meanLoss: Float? { losses.weight > 0 ? Float(losses.sum / losses.weight) : nil }
}

extension Range<Int> {
    /// The range in consecutive pieces of at most `size`.
    func pieces(of size: Int) -> [Range<Int>] {
        stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min($0 + size, upperBound) }
    }
}
