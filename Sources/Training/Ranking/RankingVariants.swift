import Features
import Models

/// Other rankers of the same features and heads: baselines to stand beside one, and one with a block more or less.
enum RankingVariants {
    struct Variant {
        var name: String
        var specification: RankingSpecification
    }

    /// nil for what is no net of the ranker's kind.
    static func variant(_ model: RankingTrial.Model, of specification: RankingSpecification) -> Variant? {
        switch model {
        case .rates, .preRanker: nil
        case .logistic: Variant(name: "logistic regression", specification: logistic(specification))
        case .dcn: Variant(name: "DCN V2", specification: dcn(specification))
        case .ranker: Variant(name: "ranker", specification: specification)
        }
    }

    /// Logistic regression: a weight for each value and each number, for each head its own.
    private static func logistic(_ specification: RankingSpecification) -> RankingSpecification {
        specification.changed { net in
            net.sequences = []
            net.crossings = net.heads.map { .linear(heads: [$0.name]) }
            (net.deep, net.personal, net.shared) = (nil, nil, .none)
            for place in net.heads.indices { net.heads[place].tower = [] }
        }
    }

    /// DCN V2 as published: a cross network and a deep net side by side, and a layer; no histories, no experts.
    private static func dcn(_ specification: RankingSpecification) -> RankingSpecification {
        specification.changed { net in
            net.sequences = []
            net.crossings = [.dcn(layers: 3)]
            (net.deep, net.personal, net.shared) = (RankerDeepNet(widths: [128, 64]), nil, .none)
            for place in net.heads.indices { net.heads[place].tower = [] }
        }
    }

    /// The ranker, and it with each block taken out that it has, and put in that it has not. Not all of them can be: what a
    /// block needs may be missing.
    ///
    /// - Parameter fields: Of its net.
    static func ablation(_ specification: RankingSpecification, fields: [String]) -> [Variant] {
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
        for history in specification.features.histories
        where !net.sequences.contains(where: { $0.name == history.name }) {
            add("with history \(history.name)") { $0.sequences.append(RankerSequence(history, fields: fields)) }
        }
        for (place, crossing) in net.crossings.enumerated() {
            add("without \(crossing.name)") { $0.crossings.remove(at: place) }
        }
        if net.deep != nil {
            add("without the deep net") { $0.deep = nil }
        } else {
            add("with a deep net") { $0.deep = RankerDeepNet(widths: [128, 64]) }
        }
        if net.personal == nil {
            add("with gates of the user") { net in
                net.personal = RankerPersonalGates(fields: ["user"], deep: net.deep != nil, towers: net.deep == nil)
            }
        } else {
            add("without gates of the user") { $0.personal = nil }
        }
        if net.shared != .none { add("without sharing") { $0.shared = .none } }
        for sharing in sharings where sharing.name != net.shared.name {
            add("with \(sharing.name)") { $0.shared = sharing }
        }
        for crossing in crossings(fields) where !net.crossings.contains(where: { $0.name == crossing.name }) {
            add("with \(crossing.name)") { $0.crossings.append(crossing) }
        }
        if net.heads.count > 1 {
            add("\(net.heads[0].name) alone") { net in
                net.heads = [net.heads[0]]
                net.crossings = net.crossings.filter { $0.heads?.contains(net.heads[0].name) ?? true }
            }
        }
        return variants
    }

    /// Every kind, as it is put in. Those that cross every two fields cross the main ones, as far as they are there.
    private static func crossings(_ fields: [String]) -> [RankerCrossing] {
        let main = ["user", "item", "category", "author"].filter(fields.contains)
        return [
            .dcn(layers: 2, rank: 32), .fm(width: 8), .senet(fields: main), .bilinear(fields: main),
            .fibinet(fields: main), .linear(),
        ]
    }

    private static let sharings: [RankerSharing] = [
        .bottom(widths: [64]), .mmoe(experts: 4, widths: [64]), .ple(own: 1, shared: 2, levels: [[64]]),
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
    /// A history as attention looks at it, by those of its columns that the candidate has as fields.
    fileprivate init(_ history: HistoryDefinition, fields: [String]) {
        let columns = history.columns.map(\.rawValue).map { Column(table: $0, query: fields.contains($0) ? $0 : nil) }
        self.init(
            history.name, columns: columns, form: columns.contains { $0.query != nil } ? .layers : .mean, hidden: [32],
            length: history.length)
    }

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

extension RankerSharing {
    fileprivate var name: String {
        switch self {
        case .none: "no sharing"
        case .bottom: "a shared bottom"
        case .mmoe: "MMoE"
        case .ple: "PLE"
        }
    }
}
