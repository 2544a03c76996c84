public import Features
public import Networks

/// The two-tower recall model (Yi et al., RecSys 2019): cosine of a user and an item vector.
public struct TwoTowerModel {
    public let specification: TwoTowerSpecification
    private let towers: Towers

    public init(
        _ specification: TwoTowerSpecification, sizes: TableSizes, in parameters: ParameterSet
    ) throws(NetworkError) {
        self.specification = specification
        towers = try Towers(
            user: specification.user, item: specification.item, widths: specification.embeddings, sizes: sizes,
            in: parameters)
    }

    /// - Returns: `[n, dimension]`, rows of unit length.
    public func users(_ inputs: UserInputs, in workspace: Workspace) -> Tensor {
        workspace.normalizeRows(towers.users(inputs, in: workspace))
    }

    /// - Returns: `[n, dimension]`, rows of unit length.
    public func items(_ inputs: ItemInputs, in workspace: Workspace) -> Tensor {
        workspace.normalizeRows(towers.items(inputs, in: workspace))
    }

    /// Softmax cross-entropy of each user's clicked item against all items of the batch: logits
    /// cos(a_i, b_j) / tau - log p_j, where an item does not stand against itself.
    ///
    /// - Parameters:
    ///   - users: `[n]`; items: `[n]`, what each user clicked.
    ///   - logProbabilities: `[n]`, log of how likely each item is to be in a batch.
    /// - Returns: `[1, 1]`, mean over the batch.
    public func loss(
        users: UserInputs, items: ItemInputs, logProbabilities: [Float], on tape: Tape
    ) -> Tensor {
        let cosines = tape.product(self.users(users, in: tape), transposed: self.items(items, in: tape))
        return tape.softmaxCrossEntropy(
            tape.scale(cosines, by: 1 / specification.temperature),
            correction: SoftmaxCorrection(
                logProbabilities: logProbabilities, identities: items.items.map(UInt64.init)))
    }
}
