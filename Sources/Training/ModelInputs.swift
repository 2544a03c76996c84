import Catalog
import Features
import Models

/// What models of a data set are made of and fed with: sizes of the tables, feature columns, the encoder with its priors.
struct ModelInputs {
    let specification: ModelSpecification
    let columns: ItemFeatureColumns
    let sizes: TableSizes
    let encoder: FeatureEncoder
    /// The same, with what the two-tower model reads of users.
    let recallEncoder: FeatureEncoder
    /// What the two-tower model goes on from.
    let continued: ContinuedModel?

    /// - Parameters:
    ///   - sampled: the data set with sampled negatives, where it has none of its own.
    ///   - rows: of it, what priors are fitted on.
    init(
        _ dataset: Dataset, sampled: Dataset, rows: Range<Int>, options: TrainingOptions,
        continuing start: ContinuedModel? = nil
    ) {
        continued = start
        columns = ItemFeatureColumns(dataset.items)
        specification = Self.specification(dataset, options)
        let surfaces = dataset.exposures.surfaceNames.count
        sizes = TableSizes(users: dataset.users, items: dataset.items, columns: columns, surfaceCount: surfaces)
        let description = FeatureDescription(
            priors: RatePriors(
                exposures: sampled.exposures, rows: rows, userCount: dataset.users.count, columns: columns),
            profileSizes: sizes.profile, surfaceCount: sizes.surfaces)
        let (threeTower, twoTower) = (specification.threeTower, specification.twoTower)
        encoder = FeatureEncoder(
            columns: columns, itemIndex: KeyIndex(dataset.items.keys), userIndex: KeyIndex(dataset.users.keys),
            description: description, recentItems: threeTower.recentItems, lists: threeTower.user.lists)
        recallEncoder = FeatureEncoder(
            columns: columns, itemIndex: encoder.itemIndex, userIndex: encoder.userIndex, description: description,
            recentItems: twoTower.recentItems, lists: twoTower.user.lists)
    }

    /// What the models are made of for a data set: without logged negatives, the user's own click rate is no feature.
    private static func specification(_ dataset: Dataset, _ options: TrainingOptions) -> ModelSpecification {
        var specification = options.specification
        if let dimension = options.dimension { specification.twoTower.dimension = dimension }
        if !dataset.exposures.hasNegatives {
            specification.threeTower.cross.removeAll { $0 == .userLogOdds }
            specification.threeTower.user.numeric = [.history]
        }
        return specification
    }

    var preRankerDescription: ModelDescription<ThreeTowerSpecification> {
        ModelDescription(specification: specification.threeTower, features: encoder.description, sizes: sizes)
    }

    /// Throws unless a data set can be trained with.
    static func check(_ dataset: Dataset) throws(TrainingError) {
        let clicks = dataset.exposures.actions.count { Actions(rawValue: $0).contains(.click) }
        guard clicks > 1, dataset.items.count > 1 else {
            throw TrainingError(
                .invalidInput,
                "data set \"\(dataset.name)\" has \(clicks) clicks on \(dataset.items.count) items; a model needs more")
        }
    }
}
