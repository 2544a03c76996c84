public import Catalog
import Features
import Kernels
public import Models

/// What a ranker of a data set is made of, before anything is fitted.
public struct RankerOutline {
    let schema: FeatureSchema
    /// With the heads that the log can teach.
    public let net: RankerSpecification
    /// Heads of the specification that the log cannot teach.
    public let headsLeftOut: [String]

    /// - Parameter rows: Of the log, what is trained on.
    /// - Throws: `TrainingError.invalidInput` that names what cannot be meant, or what the data set has not.
    init(_ specification: RankingSpecification, _ dataset: Dataset, rows: Range<Int>) throws(TrainingError) {
        do {
            schema = try specification.schema(
                for: FeatureSupply(dataset, rows: rows), days: Self.days(dataset.exposures, rows))
            net = try specification.net(schema, isLearned: LearnableHeads(dataset, rows).contains)
        } catch let error as FeatureError {
            throw TrainingError(.invalidInput, "--specification: ranker.features: \(error.message)")
        } catch let error as ModelError {
            throw TrainingError(.invalidInput, "--specification: \(error.message)")
        } catch {
            throw TrainingError(.invalidInput, "--specification: \(error)")
        }
        let kept = Set(net.heads.map(\.name))
        headsLeftOut = specification.net.heads.map(\.name).filter { !kept.contains($0) }
    }

    /// From the first trial to the last.
    private static func days(_ log: ExposureTable, _ rows: Range<Int>) -> Double {
        guard let first = rows.first(where: log.isTrial), let last = rows.last(where: log.isTrial) else { return 0 }
        return Double(log.times[last] - log.times[first]) / 86_400_000
    }
}

extension RankerOutline {
    /// The ranker that a training run on the whole data set would make.
    ///
    /// - Returns: it with the rows of each of its tables.
    public static func whole(
        _ dataset: Dataset, options: TrainingOptions
    ) throws(TrainingError) -> (outline: RankerOutline, rows: [String: Int]) {
        try options.validate()
        try ModelInputs.check(dataset)
        let sampled = NegativeSampling(seed: options.seed).apply(dataset)
        let rows = 0..<sampled.exposures.count
        let inputs = ModelInputs(dataset, sampled: sampled, rows: rows, options: options)
        let outline = try RankerOutline(inputs.specification.ranker, sampled, rows: rows)
        return (outline, FittedFeatures.rows(of: outline.schema, in: sampled, rows: rows, base: inputs.encoder))
    }
}
