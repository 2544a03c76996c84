import Foundation

/// How often a feature had a value, and how its values were spread.
public struct FeatureCoverage: Codable, Hashable, Sendable {
    /// Values that were asked for.
    public var count = 0
    /// Of them, those that were not there.
    public var missing = 0
    /// Categories that are there, but not among those the model knows.
    public var outOfVocabulary = 0
    /// Values by interval; of a category, by the remainder of its row.
    public var histogram: [Int]
    /// Between the intervals of a number; empty for a category.
    public var boundaries: [Float]

    public static let bins = 10
    public static let driftValuesMin = 200

    init(boundaries: [Float] = [], bins: Int = FeatureCoverage.bins) {
        self.boundaries = boundaries
        histogram = Array(repeating: 0, count: boundaries.isEmpty ? bins : boundaries.count + 1)
    }

    /// Share of values that were there and known; nil before any was asked for.
    public var coverage: Double? { count > 0 ? 1 - Double(missing + outOfVocabulary) / Double(count) : nil }

    /// Share of categories that were not known, among those that were there.
    public var unknownShare: Double? {
        count > missing ? Double(outOfVocabulary) / Double(count - missing) : nil
    }

    /// How far other values of the feature are from these: the population stability index over the intervals and the values
    /// that were not there, `sum (p - q) log(p / q)`; below 0.1 is little, above 0.25 much.
    ///
    /// - Parameter other: with the same intervals.
    /// - Returns: nil when either has fewer than ``driftValuesMin`` values: intervals would then be empty by chance.
    public func drift(to other: FeatureCoverage) -> Double? {
        guard min(count, other.count) >= Self.driftValuesMin, histogram.count == other.histogram.count else {
            return nil
        }
        let here = histogram + [missing, outOfVocabulary]
        let there = other.histogram + [other.missing, other.outOfVocabulary]
        return zip(here, there).reduce(0) { sum, pair in
            // Half a value more in each, so that none is empty (Jeffreys' prior).
            let p = (Double(pair.0) + 0.5) / (Double(count) + 0.5 * Double(here.count))
            let q = (Double(pair.1) + 0.5) / (Double(other.count) + 0.5 * Double(here.count))
            return sum + (p - q) * log(p / q)
        }
    }

    /// Adds values that were counted elsewhere, with the same intervals.
    public mutating func add(_ other: FeatureCoverage) {
        precondition(histogram.count == other.histogram.count, "other intervals")
        count += other.count
        missing += other.missing
        outOfVocabulary += other.outOfVocabulary
        for bin in histogram.indices { histogram[bin] += other.histogram[bin] }
    }

    /// The same intervals without values.
    public func emptied() -> FeatureCoverage {
        FeatureCoverage(boundaries: boundaries, bins: histogram.count)
    }

    mutating func count(_ number: Float) {
        count += 1
        if number.isNaN { missing += 1 } else { histogram[interval(number)] += 1 }
    }

    mutating func count(id: UInt32) {
        count += 1
        switch id {
        case 0: missing += 1
        case FeatureCounter.outOfVocabulary: outOfVocabulary += 1
        default: histogram[Int(id) % histogram.count] += 1
        }
    }

    private func interval(_ number: Float) -> Int {
        boundaries.firstIndex { number < $0 } ?? boundaries.count
    }
}

/// Counts the values of a schema's features as they are made, in training and in serving. One thread at a time.
public final class FeatureCounter {
    static let outOfVocabulary = UInt32.max

    private let names: [String]
    private var features: [FeatureCoverage]

    /// - Parameter training: what the features were when they were fitted, whose intervals are taken; nil while fitting.
    public init(_ schema: FeatureSchema, like training: [String: FeatureCoverage]? = nil) {
        names = schema.features.map(\.name)
        features = names.map { FeatureCoverage(boundaries: training?[$0]?.boundaries ?? []) }
    }

    /// By feature.
    public var coverage: [String: FeatureCoverage] {
        Dictionary(uniqueKeysWithValues: zip(names, features))
    }

    /// Adds what was counted to that of others, by feature in the schema's order, and forgets it.
    public func move(to all: inout [FeatureCoverage]) {
        if all.isEmpty {
            all = features
        } else {
            for index in features.indices { all[index].add(features[index]) }
        }
        for index in features.indices { features[index] = features[index].emptied() }
    }

    func count(_ feature: Int, number: Float) { features[feature].count(number) }
    func count(_ feature: Int, id: UInt32) { features[feature].count(id: id) }
}
