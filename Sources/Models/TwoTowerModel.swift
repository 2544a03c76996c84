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
}
