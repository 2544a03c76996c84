import Models

/// Other rankers of the same features and heads: baselines to stand beside one, and one with a block more or less.
enum RankingVariants {
    /// Logistic regression: a weight for each value and each number, for each head its own.
    static func logistic(_ specification: RankingSpecification) -> RankingSpecification {
        specification.changed { net in
            net.sequences = []
            net.crossings = net.heads.map { .linear(heads: [$0.name]) }
            (net.deep, net.personal, net.shared) = (nil, nil, .none)
            for place in net.heads.indices { net.heads[place].tower = [] }
        }
    }

    /// DCN V2 as published: a cross network and a deep net side by side, and a layer; no histories, no experts.
    static func dcn(_ specification: RankingSpecification) -> RankingSpecification {
        specification.changed { net in
            net.sequences = []
            net.crossings = [.dcn(layers: 3)]
            (net.deep, net.personal, net.shared) = (RankerDeepNet(widths: [128, 64]), nil, .none)
            for place in net.heads.indices { net.heads[place].tower = [] }
        }
    }

    struct Variant {
        var name: String
        var specification: RankingSpecification
    }

    /// The ranker, and it with each block taken out that it has, and put in that it has not.
    static func ablation(_ specification: RankingSpecification) -> [Variant] {
        var variants = [Variant(name: "full", specification: specification)]
        func add(_ name: String, _ change: (inout RankerSpecification) -> Void) {
            variants.append(Variant(name: name, specification: specification.changed(change)))
        }
        let net = specification.net
        for (place, sequence) in net.sequences.enumerated() {
            add("without history \(sequence.name)") { $0.sequences.remove(at: place) }
            guard sequence.form != .mean else { continue }
            add("history \(sequence.name) as a mean") { $0.sequences[place] = sequence.asMean }
        }
        for (place, crossing) in net.crossings.enumerated() {
            add("without \(crossing.name)") { $0.crossings.remove(at: place) }
        }
        if net.deep != nil { add("without the deep net") { $0.deep = nil } }
        if net.personal == nil {
            add("with gates of the user") { net in
                net.personal = RankerPersonalGates(fields: ["user"], deep: net.deep != nil, towers: net.deep == nil)
            }
        } else {
            add("without gates of the user") { $0.personal = nil }
        }
        if net.shared != .none {
            add("without sharing") { $0.shared = .none }
            add("with a shared bottom") { $0.shared = .bottom(widths: [64]) }
        }
        if case .ple = net.shared {
        } else {
            add("with PLE") { $0.shared = .ple(own: 1, shared: 2, levels: [[64]]) }
        }
        for (name, crossing) in added where !net.crossings.contains(where: { $0.name == crossing.name }) {
            add("with \(name)") { $0.crossings.append(crossing) }
        }
        if net.heads.count > 1 {
            add("\(net.heads[0].name) alone") { net in
                net.heads = [net.heads[0]]
                net.crossings = net.crossings.filter { $0.heads?.contains(net.heads[0].name) ?? true }
            }
        }
        return variants
    }

    private static let crossed = ["user", "item", "category", "author"]

    private static let added: [(String, RankerCrossing)] = [
        ("FM", .fm(width: 8)), ("SENet", .senet(fields: crossed)), ("bilinear", .bilinear(fields: crossed)),
        ("FiBiNet", .fibinet(fields: crossed)), ("logistic regression", .linear()),
    ]
}

extension RankingSpecification {
    fileprivate func changed(_ change: (inout RankerSpecification) -> Void) -> RankingSpecification {
        var result = self
        change(&result.net)
        return result
    }
}

extension RankerSequence {
    /// The same columns without a candidate to compare them with.
    fileprivate var asMean: RankerSequence {
        RankerSequence(
            name, columns: columns.map { Column(table: $0.table) }, form: .mean, ageWidth: ageWidth, length: length)
    }
}

extension RankerCrossing {
    fileprivate var name: String {
        switch self {
        case .linear: "logistic regression"
        case .fm: "FM"
        case .dcn: "DCN V2"
        case .senet: "SENet"
        case .bilinear: "bilinear"
        case .fibinet: "FiBiNet"
        }
    }
}
