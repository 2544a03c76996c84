import Blobs
import Features
import Foundation
import Kernels
import Models
import Networks

/// A made-up ranking model with every kind of input, its rows, and its component.
struct RankerNetWorld {
    static let rows = [
        "user": 5, "city": 4, "item": 23, "category": 6, "author": 9, "keyword": 8,
    ]

    static let tables: [String: RankerTable] = [
        "user": .init(width: 5), "city": .init(width: 19), "item": .init(width: 8), "category": .init(width: 3),
        "author": .init(width: 7), "keyword": .init(width: 2),
    ]

    static let fields: [RankerField] = [
        .init("user", .categorical), .init("city", .categorical), .init("interests", .multivalued, table: "keyword"),
        .init("item", .categorical), .init("category", .categorical), .init("author", .categorical),
        .init("keywords", .multivalued, table: "keyword", pooling: .sum), .init("about", .numeric, count: 4),
        .init("statistics", .numeric, count: 6),
    ]

    /// Those whose values are the user's.
    static let usersFields = [0, 1, 2, 7]

    static let sequences: [RankerSequence] = [
        .init("liked", columns: [.init(table: "item"), .init(table: "category")], form: .mean, ageWidth: 2, length: 4),
        .init(
            "recent", columns: [.init(table: "category"), .init(table: "item", query: "item")], form: .layers,
            hidden: [6, 4], ageWidth: 3, length: 7),
        .init("dotted", columns: [.init(table: "item", query: "item")], form: .dot, hidden: [5], length: 9),
        .init(
            "hard",
            columns: [.init(table: "item", query: "item"), .init(table: "category", query: "category")], form: .dot,
            hidden: [4], ageWidth: 2, length: 30, search: .init(.hard, column: 1, limit: 3)),
        .init(
            "soft", columns: [.init(table: "author", query: "author")], form: .layers, hidden: [5], length: 20,
            search: .init(.soft, column: 0, limit: 4)),
    ]

    static let heads: [RankerHead] = [
        .init("click", .binary, tower: [6]), .init("watch", .watchTime, tower: [5, 4]), .init("finish", .finish),
    ]

    /// Every value random: biases, norms and their statistics too.
    static func parameters(_ specification: RankerSpecification, seed: UInt64 = 3) throws -> ParameterSet {
        let parameters = ParameterSet(seed: seed)
        _ = try RankerModel(specification, rows: rows, in: parameters)
        var generator = SeededGenerator(seed: seed)
        for parameter in parameters.all {
            let scale = parameter.rows == 1 ? 0.5 : 0.8 / Float(parameter.rows).squareRoot() + 0.1
            let isVariance = parameter.name.hasSuffix("variance")
            parameter.assign(
                (0..<parameter.count).map { _ in
                    isVariance ? 0.5 + generator.uniform() : scale * Float(generator.normal())
                })
        }
        return parameters
    }

    static func withFile<Result>(
        _ specification: RankerSpecification, _ parameters: ParameterSet, precisions: [String: Precision]? = nil,
        _ body: (SafetensorsFile) throws -> Result
    ) throws -> Result {
        let description = RankerDescription(specification: specification, rows: rows, precisions: precisions)
        return try withFile(description.writer(parameters), body)
    }

    static func withFile<Result>(
        _ writer: SafetensorsWriter, _ body: (SafetensorsFile) throws -> Result
    ) throws -> Result {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try writer.write(to: path)
        return try body(SafetensorsFile(path: path))
    }

    /// Rows of one user, or each of its own.
    static func inputs(
        _ specification: RankerSpecification, count: Int, user isOnce: Bool, seed: UInt64 = 1
    ) -> RankerInputs {
        var generator = SeededGenerator(seed: seed)
        func values(_ count: Int, of table: String) -> [UInt32] {
            (0..<count).map { _ in UInt32(generator.next() % UInt64(rows[table] ?? 1)) }
        }
        func offsets(_ lists: Int, upTo longest: Int) -> [Int] {
            (0..<lists).reduce(into: [0]) { offsets, _ in
                offsets.append((offsets.last ?? 0) + Int(generator.next() % UInt64(longest + 1)))
            }
        }
        let fields = specification.fields.enumerated().map { index, field -> RankerInputs.Column in
            let own = isOnce && usersFields.contains(index) ? 1 : count
            let table = field.table ?? field.name
            switch field.kind {
            case .categorical: return .categorical(values(own, of: table))
            case .multivalued:
                let offsets = offsets(own, upTo: 4)
                return .multivalued(RaggedRows(rows: values(offsets[own], of: table), offsets: offsets))
            case .numeric: return .numbers((0..<own * field.count).map { _ in Float(generator.normal()) })
            }
        }
        let histories = specification.sequences.map { sequence -> RankerInputs.History in
            let own = isOnce ? 1 : count
            let offsets = isOnce ? [0, sequence.length + 2] : offsets(own, upTo: sequence.length + 2)
            let columns = sequence.columns.map { values(offsets[own], of: $0.table) }
            let ages = (0..<offsets[own]).map { _ in UInt32(generator.next() % UInt64(AgeBuckets.count)) }
            return .init(columns: columns, ages: sequence.ageWidth > 0 ? ages : [], offsets: offsets)
        }
        return RankerInputs(count: count, fields: fields, histories: histories)
    }

    /// What the definition that trains predicts, `[n, heads]`.
    static func expected(
        _ file: SafetensorsFile, _ inputs: RankerInputs, precisions: [String: Precision]? = nil
    ) throws -> [Float] {
        let model = try RankerModel(file, precisions: precisions)
        let columns = model(inputs, in: Workspace()).enumerated().map { model.predictions($1, head: $0) }
        return (0..<inputs.count).flatMap { row in columns.map { $0[row] } }
    }

    /// The largest |x - y| / (1 + |y|).
    static func difference(_ found: [Float], _ expected: [Float]) -> Float {
        guard found.count == expected.count else { return .infinity }
        var worst: Float = 0
        for (x, y) in zip(found, expected) {
            let difference = abs(x - y) / (1 + abs(y))
            worst = difference <= worst ? worst : difference.isNaN ? .infinity : difference
        }
        return worst
    }
}
