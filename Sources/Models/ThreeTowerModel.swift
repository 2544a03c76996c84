public import Features
import Kernels
public import Networks

/// The three-tower pre-ranker (after COLD, Wang et al., DLP-KDD 2020): user tower, item tower, a cross tower of one
/// layer, and a small head with one output for the click and one for the watch time.
///
/// The outputs also read the cross features directly, so that training can start from the rate model.
public struct ThreeTowerModel {
    public let specification: ThreeTowerSpecification
    private let towers: Towers
    private let cross: Dense
    private let hidden: Dense
    private let click: Dense
    private let watch: Dense

    public init(
        _ specification: ThreeTowerSpecification, sizes: TableSizes, in parameters: ParameterSet
    ) throws(NetworkError) {
        self.specification = specification
        towers = try Towers(
            user: specification.user, item: specification.item, widths: specification.embeddings, sizes: sizes,
            in: parameters)
        let features = specification.cross.count
        cross = try Dense(
            "cross", inputs: features, outputs: specification.crossWidth, activation: .relu, in: parameters)
        let width = (specification.user.layers.last ?? 0) + (specification.item.layers.last ?? 0)
        hidden = try Dense(
            "head", inputs: width + specification.crossWidth, outputs: specification.headWidth, activation: .relu,
            in: parameters)
        click = try Dense("click", inputs: specification.headWidth + features, outputs: 1, in: parameters)
        watch = try Dense("watch", inputs: specification.headWidth + features, outputs: 1, in: parameters)
    }

    public struct Outputs {
        /// `[n, 1]`: log-odds of a click.
        public let click: Tensor
        /// `[n, 1]`: log of the seconds expected to be watched.
        public let watch: Tensor
    }

    /// - Returns: `[n, user.layers.last]`.
    public func users(_ inputs: UserInputs, in workspace: Workspace) -> Tensor {
        towers.users(inputs, in: workspace)
    }

    /// - Returns: `[n, item.layers.last]`.
    public func items(_ inputs: ItemInputs, in workspace: Workspace) -> Tensor {
        towers.items(inputs, in: workspace)
    }

    /// Cross tower and head.
    ///
    /// - Parameters:
    ///   - users: `[n, ...]`, or `[1, ...]` for one user before n candidates.
    ///   - items: `[n, ...]`.
    ///   - features: `[n, specification.cross.count]`.
    public func head(users: Tensor, items: Tensor, features: Tensor, in workspace: Workspace) -> Outputs {
        let mixed = hidden([users, items, cross(features, in: workspace)], in: workspace)
        return Outputs(
            click: click([mixed, features], in: workspace), watch: watch([mixed, features], in: workspace))
    }

    /// Mean over the batch of the click's cross-entropy plus that of the watch time.
    ///
    /// - Parameters:
    ///   - features: `[n, specification.cross.count]`, row-major.
    ///   - outcomes: `[n]`.
    ///   - teacher: `[n]`, the ranker's probability of a click; NaN where there is none. Empty without a teacher.
    /// - Returns: `[1, 1]` each.
    public func loss(
        users: UserInputs, items: ItemInputs, features: [Float], outcomes: [Outcome], teacher: [Float] = [],
        on tape: Tape
    ) -> (total: Tensor, click: Tensor) {
        let outputs = head(
            users: self.users(users, in: tape), items: self.items(items, in: tape),
            features: tape.input(features, columns: specification.cross.count), in: tape)
        let click = tape.sigmoidCrossEntropy(outputs.click, labels: labels(outcomes, teacher))
        let watch = tape.watchTimeLoss(outputs.watch, seconds: outcomes.map(\.watchSeconds))
        return (tape.add(click, tape.scale(watch, by: specification.watchLossWeight)), click)
    }

    /// Clicks, with the teacher's share of each.
    private func labels(_ outcomes: [Outcome], _ teacher: [Float]) -> [Float] {
        let clicks = outcomes.map { $0.isClick ? Float(1) : 0 }
        guard !teacher.isEmpty else { return clicks }
        precondition(teacher.count == clicks.count, "a teacher's probability for each row")
        let share = specification.distillation
        return zip(clicks, teacher).map { $1.isNaN ? $0 : (1 - share) * $0 + share * $1 }
    }

    /// Sets the click output to the rate model's: the log-odds of item, user and surface, added. Before training.
    ///
    /// - Parameter clickLogOdds: Log-odds of the common click rate.
    public func startAsRateModel(clickLogOdds: Float) {
        click.bias.assign([clickLogOdds])
        var weights = [Float](repeating: 0, count: click.weight.count)
        for (index, feature) in specification.cross.enumerated() {
            weights[specification.headWidth + index] = CrossFeature.rateModel.contains(feature) ? 1 : 0
        }
        click.weight.assign(weights)
    }
}
