import Blobs
import Features
import Foundation
import Kernels
import Models
import Networks

/// A request to a ranking model of every block that the engine `inference` serves.
enum RankerRequest {
    private static let rows = ["user": 100, "item": 1_000, "category": 20]

    private static let specification = RankerSpecification(
        tables: ["user": .init(width: 16), "item": .init(width: 16), "category": .init(width: 8)],
        fields: [
            .init("user", .categorical), .init("item", .categorical), .init("category", .categorical),
            .init("categories", .multivalued, table: "category"), .init("numbers", .numeric, count: 10),
        ],
        sequences: [
            .init("liked", columns: [.init(table: "item")], form: .mean),
            .init(
                "recent", columns: [.init(table: "item", query: "item"), .init(table: "category", query: "category")],
                form: .layers, hidden: [16, 8], ageWidth: 4, length: 20),
            .init(
                "hard",
                columns: [.init(table: "item", query: "item"), .init(table: "category", query: "category")],
                form: .dot, hidden: [8], length: 200, search: .init(.hard, column: 1, limit: 10)),
            .init(
                "soft", columns: [.init(table: "item", query: "item")], form: .dot, hidden: [8], length: 50,
                search: .init(.soft, column: 0, limit: 10)),
        ],
        crossings: [.linear(), .fm(width: 8), .dcn(layers: 2, rank: 16)],
        deep: .init(widths: [32, 16], normalization: .layer), personal: .init(fields: ["user"], towers: true),
        shared: .ple(own: 1, shared: 1, levels: [[16], [16]]),
        heads: [.init("click", .binary, tower: [16]), .init("watch", .watchTime, tower: [16])])

    /// - Parameter precisions: nil for bytes wherever they may be.
    static func make(_ candidates: Int, precisions: [String: Precision]?) throws -> () -> Void {
        let parameters = ParameterSet(seed: 1)
        _ = try RankerModel(specification, rows: rows, in: parameters)
        let url = FileManager.default.temporaryDirectory.appending(path: "allocations-\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try RankerDescription(specification: specification, rows: rows).writer(parameters).write(to: url.path())
        let file = try SafetensorsFile(path: url.path())
        let names = try RankerNet(file).byteCandidates
        let net = try RankerNet(
            file, precisions: precisions ?? Dictionary(uniqueKeysWithValues: names.map { ($0, Precision.int8) }))
        let inputs = inputs(candidates)
        let scratch = RankerNet.Scratch(net, rowsMax: candidates)
        let predictions = UnsafeMutableBufferPointer<Float>.allocate(capacity: candidates * net.heads)
        return { net.run(inputs, in: scratch, into: predictions) }
    }

    /// One user before candidates.
    private static func inputs(_ count: Int) -> RankerInputs {
        var random = SeededGenerator(seed: 1)
        func values(_ count: Int, below rows: Int) -> [UInt32] {
            (0..<count).map { _ in UInt32(random.next() % UInt64(rows)) }
        }
        let fields: [RankerInputs.Column] = [
            .categorical([7]), .categorical(values(count, below: 1_000)), .categorical(values(count, below: 20)),
            .multivalued(RaggedRows(rows: values(2 * count, below: 20), offsets: (0...count).map { 2 * $0 })),
            .numbers((0..<10 * count).map { _ in Float(random.normal()) }),
        ]
        let histories = specification.sequences.map { sequence in
            RankerInputs.History(
                columns: sequence.columns.map { values(sequence.length, below: rows[$0.table] ?? 1) },
                ages: sequence.ageWidth > 0 ? values(sequence.length, below: AgeBuckets.count) : [],
                offsets: [0, sequence.length])
        }
        return RankerInputs(count: count, fields: fields, histories: histories)
    }
}
