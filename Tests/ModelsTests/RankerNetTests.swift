import Blobs
import Features
import Kernels
import Models
import Networks
import Testing

/// A ranker's nets compute what the definition that trains computes, which is held to PyTorch by `RankerModelTests`.
@Suite struct RankerNetTests {
    typealias World = RankerNetWorld

    static let crossings: [[RankerCrossing]] = [
        [], [.linear()], [.linear(heads: ["watch"]), .dcn(layers: 3)], [.dcn(layers: 2, rank: 4), .dcn(layers: 1)],
        [.fm(width: 3), .linear()], [.fm(fields: ["interests", "keywords"], heads: ["click"]), .dcn(layers: 1)],
        [.senet()], [.bilinear(form: .product), .dcn(layers: 1)], [.fibinet(fields: ["user", "item"])],
    ]
    static let deeps: [RankerDeepNet?] = [
        nil, .init(widths: [20, 9]), .init(widths: [11], normalization: .layer),
        .init(widths: [12, 7], normalization: .batch),
    ]
    static let sharings: [RankerSharing] = [
        .none, .bottom(widths: [9, 8]), .mmoe(experts: 3, widths: [8, 6]), .mmoe(experts: 5, widths: [7]),
        .ple(own: 1, shared: 2, levels: [[8, 6]]), .ple(own: 2, shared: 1, levels: [[6], [7, 5], [4]]),
    ]
    static let gates: [RankerPersonalGates?] = [
        nil, .init(fields: ["user", "about"], hidden: 5, towers: true),
        .init(fields: ["item"], hidden: 4, deep: false, towers: true), .init(fields: ["city"], hidden: 3),
    ]

    static func specification(
        _ crossings: [RankerCrossing], _ deep: RankerDeepNet?, _ sharing: RankerSharing, _ gates: RankerPersonalGates?,
        sequences: [RankerSequence] = World.sequences
    ) -> RankerSpecification {
        RankerSpecification(
            tables: World.tables, fields: World.fields, sequences: sequences, crossings: crossings, deep: deep,
            personal: gates, shared: sharing, heads: World.heads, negatives: .init(head: "click", rate: 0.3))
    }

    private func compare(_ specification: RankerSpecification, counts: [Int]) throws {
        let parameters = try World.parameters(specification)
        try World.withFile(specification, parameters) { file in
            let net = try RankerNet(file)
            #expect((net.engine == .workspace) == !specification.workspaceBlocks.isEmpty)
            let scratch = RankerNet.Scratch(net, rowsMax: 150)
            for count in counts {
                for isOnce in [true, false] {
                    let inputs = World.inputs(specification, count: count, user: isOnce, seed: UInt64(count))
                    let expected = try World.expected(file, inputs)
                    var found = [Float](repeating: .nan, count: count * net.heads)
                    found.withUnsafeMutableBufferPointer { net.run(inputs, in: scratch, into: $0) }
                    let difference = World.difference(found, expected)
                    #expect(difference < 1e-5, "\(count) rows, user once: \(isOnce), \(specification)")
                }
            }
        }
    }

    /// Every combination of blocks that can be meant, in turn with each of the others.
    @Test(arguments: crossings.indices) func everyCombinationOfBlocks(_ index: Int) throws {
        var tried = 0
        for (place, deep) in Self.deeps.enumerated() {
            for sharing in Self.sharings {
                for gates in Self.gates {
                    let specification = Self.specification(Self.crossings[index], deep, sharing, gates)
                    guard (try? specification.validate()) != nil else { continue }
                    try compare(specification, counts: place == 1 ? [1, 53] : [50])
                    tried += 1
                }
            }
        }
        #expect(tried >= 60)
    }

    /// Sums of scalars alone, which have no sequences and no towers.
    @Test(
        arguments: [[RankerCrossing.linear()], [.fm(width: 4)], [.fm(fields: ["interests", "keywords"]), .linear()]])
    func logisticRegressionAndFactorizationMachines(_ crossings: [RankerCrossing]) throws {
        var specification = Self.specification(crossings, nil, .none, nil, sequences: [])
        for head in specification.heads.indices { specification.heads[head].tower = [] }
        try specification.validate()
        try compare(specification, counts: [1, 2, 48, 53, 150])
    }

    @Test(arguments: RankerNetWorld.sequences.indices) func everySequenceAlone(_ index: Int) throws {
        let sequences = [World.sequences[index]]
        for count in [1, 2, 47, 48, 49, 97, 150] {
            try compare(
                Self.specification([.dcn(layers: 1)], .init(widths: [17]), .none, nil, sequences: sequences),
                counts: [count])
        }
    }

    /// The same scratch after longer and shorter requests, without any behaviours, without any candidates.
    @Test func aScratchIsUsedAgain() throws {
        let specification = Self.specification(
            [.dcn(layers: 1)], .init(widths: [8]), .mmoe(experts: 2, widths: [5]), .init(fields: ["user"]))
        let parameters = try World.parameters(specification)
        try World.withFile(specification, parameters) { file in
            let net = try RankerNet(file)
            let scratch = RankerNet.Scratch(net, rowsMax: 100)
            for count in [100, 3, 0, 64] {
                var inputs = World.inputs(specification, count: count, user: true, seed: 9)
                for index in inputs.histories.indices where count == 3 {
                    let history = inputs.histories[index]
                    inputs.histories[index] = .init(columns: history.columns.map { _ in [] }, offsets: [0, 0])
                }
                var found = [Float](repeating: .nan, count: count * net.heads)
                found.withUnsafeMutableBufferPointer { net.run(inputs, in: scratch, into: $0) }
                if count > 0 {
                    let expected = try World.expected(file, inputs)
                    #expect(World.difference(found, expected) < 1e-5, "\(count) rows")
                }
            }
        }
    }

    @Test func layersAreHeldInBytesAsTheDescriptionSays() throws {
        let specification = Self.specification(
            [.dcn(layers: 2), .dcn(layers: 1, rank: 16)], .init(widths: [64, 32], normalization: .batch),
            .mmoe(experts: 3, widths: [32, 24]), .init(fields: ["user", "city"], hidden: 16, towers: true))
        let parameters = try World.parameters(specification)
        let names = try World.withFile(specification, parameters) { try RankerNet($0).byteCandidates }
        #expect(names.contains("shared.expert.1.0.weight") && names.contains("crossing.1.0.reduction"))
        #expect(!names.contains { $0.hasPrefix("sequence.") || $0.hasPrefix("table.") })
        // Neighbours of different precision: experts that are one product otherwise.
        for chosen in [names, names.filter { !$0.hasPrefix("shared.expert.1") }] {
            let precisions = Dictionary(uniqueKeysWithValues: chosen.map { ($0, Precision.int8) })
            try World.withFile(specification, parameters, precisions: precisions) { file in
                let net = try RankerNet(file)
                #expect(net.hasBytes)
                let inputs = World.inputs(specification, count: 60, user: true)
                let found = net.run(inputs)
                // The workspace's bytes are the same but for where a rounding falls.
                let bytes = World.difference(found, try World.expected(file, inputs))
                let plain = World.difference(found, try World.expected(file, inputs, precisions: [:]))
                #expect(bytes < 0.02 && plain < 1 && plain > 1e-4, "\(bytes) \(plain)")
                let unquantized = try RankerNet(file, precisions: [:])
                #expect(
                    World.difference(unquantized.run(inputs), try World.expected(file, inputs, precisions: [:])) < 1e-5)
            }
        }
    }

    @Test func damagedComponentsAreRefused() throws {
        let specification = Self.specification([], .init(widths: [8]), .none, nil)
        let parameters = try World.parameters(specification)
        func refusal(_ writer: SafetensorsWriter) throws -> String {
            try World.withFile(writer) { file in
                do {
                    _ = try RankerNet(file)
                    return "none"
                } catch {
                    return "\(error)"
                }
            }
        }
        #expect(try refusal(SafetensorsWriter()).contains("no description of a ranking model"))
        var other = specification
        other.deep?.widths = [9]
        let description = RankerDescription(specification: other, rows: World.rows)
        #expect(try refusal(description.writer(parameters)).contains("deep.0.weight"))
        let wrong = RankerDescription(
            specification: specification, rows: World.rows, precisions: ["deep.7.weight": .int8])
        #expect(try refusal(wrong.writer(parameters)).contains("'deep.7.weight', which is not there"))
        var short = World.rows
        short["item"] = 4
        let fewer = RankerDescription(specification: specification, rows: short)
        #expect(try refusal(fewer.writer(parameters)).contains("table.item"))
    }
}
