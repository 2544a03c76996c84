import Features
import Kernels
import Models
import Networks
import Testing

/// Training with every block gives the same weights for any number of threads, and the same again for the same seed.
@Suite struct RankerThreadsTests {
    static let specification = RankerSpecification(
        tables: ["item": .init(width: 16), "category": .init(width: 8)],
        fields: [.init("item", .categorical), .init("category", .categorical), .init("numbers", .numeric, count: 20)],
        sequences: [
            .init("liked", columns: [.init(table: "item")], form: .mean),
            .init(
                "recent", columns: [.init(table: "item", query: "item"), .init(table: "category", query: "category")],
                form: .layers, ageWidth: 4),
            .init(
                "long", columns: [.init(table: "item", query: "item")], form: .dot,
                search: .init(.soft, column: 0, limit: 10)),
        ],
        crossings: [
            .fm(width: 4), .dcn(layers: 2), .senet(), .bilinear(), .fibinet(form: .product),
        ],
        deep: .init(widths: [64, 32], dropout: 0.2, normalization: .batch),
        personal: .init(fields: ["category"], towers: true),
        shared: .mmoe(experts: 3, widths: [48]),
        heads: [
            .init("click", .binary, tower: [16]), .init("watch", .watchTime, weight: 0.5),
            .init("like", .binary, given: "click"),
        ])

    /// Three steps of batches large enough for every operation to divide its work.
    static func train(threads: Int, seed: UInt64 = 2) throws -> [[Float]] {
        let parameters = ParameterSet(seed: 1)
        let model = try RankerModel(specification, rows: ["item": 500, "category": 30], in: parameters)
        let optimizer = Optimizer(parameters, threads: Threads(threads))
        let tape = Tape(seed: seed, threads: Threads(threads))
        var generator = SeededGenerator(seed: 3)
        let rows = 700
        for _ in 0..<3 {
            tape.reset()
            let random = { (count: Int, limit: UInt32) in
                (0..<count).map { _ in UInt32.random(in: 0..<limit, using: &generator) }
            }
            let lengths = random(rows, 30)
            let offsets = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int($1)) }
            let items = random(offsets[rows], 500)
            let inputs = RankerInputs(
                count: rows,
                fields: [
                    .categorical(random(rows, 500)), .categorical(random(rows, 30)),
                    .numbers(random(rows * 20, 100).map { Float($0) / 50 - 1 }),
                ],
                histories: [
                    .init(columns: [items], offsets: offsets),
                    .init(
                        columns: [items, random(offsets[rows], 30)], ages: random(offsets[rows], 22), offsets: offsets),
                    .init(columns: [items], offsets: offsets),
                ])
            let clicks = random(rows, 2).map { Float($0) }
            let labels = RankerLabels([
                clicks, clicks.map { $0 * 30 }, zip(clicks, random(rows, 2)).map { $0 * Float($1) },
            ])
            tape.backward(from: model.loss(inputs, labels, on: tape).total)
            optimizer.step()
        }
        return parameters.all.map(\.array)
    }

    @Test func theWeightsDoNotDependOnTheThreads() throws {
        let alone = try Self.train(threads: 1)
        #expect(alone.allSatisfy { $0.allSatisfy(\.isFinite) })
        for threads in [1, 2, 3] { #expect(try Self.train(threads: threads) == alone, "\(threads) threads") }
        #expect(try Self.train(threads: 1, seed: 9) != alone)
    }
}
