import Foundation
import Models

/// A model and how it is trained.
struct Contender: Decodable {
    var name: String
    var crossings: [RankerCrossing]
    var deep: RankerDeepNet?
    /// Rows of a step.
    var batch: Int
    /// Adam's.
    var learningRate: Float
    /// Half of this times the sum of squares of all embeddings is added to a step's loss. Every row of the tables then has a gradient
    /// in every step.
    var l2: Float

    static func read(_ path: String) throws -> [Contender] {
        try JSONDecoder().decode([Contender].self, from: Data(contentsOf: URL(filePath: path)))
    }

    /// The model over categorical fields of these names, all embedded in 10 columns.
    func specification(fields: [String]) -> RankerSpecification {
        RankerSpecification(
            tables: Dictionary(uniqueKeysWithValues: fields.map { ($0, RankerTable(width: 10)) }),
            fields: fields.map { RankerField($0, .categorical) }, crossings: crossings, deep: deep,
            heads: [RankerHead("click", .binary)])
    }
}
