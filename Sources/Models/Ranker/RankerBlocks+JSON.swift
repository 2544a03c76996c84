import Features

extension RankerSharing: Codable {
    private enum Kind: String, NamedChoice {
        case none, bottom, mmoe, ple
    }

    private enum Keys: String, CodingKey {
        case kind, widths, experts, gateDropout, own, shared, levels
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        let kind = try values.decode(Kind.self, forKey: .kind)
        try decoder.refuseKeys(except: ([.kind] + Self.keys(of: kind)).map(\.rawValue))
        switch kind {
        case .none: self = .none
        case .bottom: self = .bottom(widths: try values.decode([Int].self, forKey: .widths))
        case .mmoe:
            self = .mmoe(
                experts: try values.value(.experts, or: 4), widths: try values.decode([Int].self, forKey: .widths),
                gateDropout: try values.value(.gateDropout, or: 0.1))
        case .ple:
            self = .ple(
                own: try values.value(.own, or: 1), shared: try values.value(.shared, or: 2),
                levels: try values.decode([[Int]].self, forKey: .levels),
                gateDropout: try values.value(.gateDropout, or: 0.1))
        }
    }

    private static func keys(of kind: Kind) -> [Keys] {
        switch kind {
        case .none: []
        case .bottom: [.widths]
        case .mmoe: [.experts, .widths, .gateDropout]
        case .ple: [.own, .shared, .levels, .gateDropout]
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        switch self {
        case .none: try values.encode(Kind.none, forKey: .kind)
        case .bottom(let widths):
            try values.encode(Kind.bottom, forKey: .kind)
            try values.encode(widths, forKey: .widths)
        case .mmoe(let experts, let widths, let gateDropout):
            try values.encode(Kind.mmoe, forKey: .kind)
            try values.encode(experts, forKey: .experts)
            try values.encode(widths, forKey: .widths)
            try values.encode(gateDropout, forKey: .gateDropout)
        case .ple(let own, let shared, let levels, let gateDropout):
            try values.encode(Kind.ple, forKey: .kind)
            try values.encode(own, forKey: .own)
            try values.encode(shared, forKey: .shared)
            try values.encode(levels, forKey: .levels)
            try values.encode(gateDropout, forKey: .gateDropout)
        }
    }
}

extension RankerCrossing: Codable {
    private enum Kind: String, NamedChoice {
        case linear, fm, dcn, senet, bilinear, fibinet
    }

    private enum Keys: String, CodingKey {
        case kind, width, fields, heads, layers, rank, reduction, form, pairs
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        let kind = try values.decode(Kind.self, forKey: .kind)
        try decoder.refuseKeys(except: ([.kind] + Self.keys(of: kind)).map(\.rawValue))
        let fields = try values.decodeIfPresent([String].self, forKey: .fields)
        let heads = try values.decodeIfPresent([String].self, forKey: .heads)
        let pairs = try values.decodeIfPresent([[String]].self, forKey: .pairs)
        let form = try values.value(.form, or: Form.elementwise)
        let reduction = try values.value(.reduction, or: 3)
        switch kind {
        case .linear: self = .linear(heads: heads)
        case .fm: self = .fm(width: try values.decodeIfPresent(Int.self, forKey: .width), fields: fields, heads: heads)
        case .dcn:
            self = .dcn(
                layers: try values.value(.layers, or: 3), rank: try values.decodeIfPresent(Int.self, forKey: .rank))
        case .senet: self = .senet(fields: fields, reduction: reduction)
        case .bilinear: self = .bilinear(form: form, fields: fields, pairs: pairs)
        case .fibinet: self = .fibinet(form: form, fields: fields, pairs: pairs, reduction: reduction)
        }
    }

    private static func keys(of kind: Kind) -> [Keys] {
        switch kind {
        case .linear: [.heads]
        case .fm: [.width, .fields, .heads]
        case .dcn: [.layers, .rank]
        case .senet: [.fields, .reduction]
        case .bilinear: [.form, .fields, .pairs]
        case .fibinet: [.form, .fields, .pairs, .reduction]
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        switch self {
        case .linear(let heads):
            try values.encode(Kind.linear, forKey: .kind)
            try values.encodeIfPresent(heads, forKey: .heads)
        case .fm(let width, let fields, let heads):
            try values.encode(Kind.fm, forKey: .kind)
            try values.encodeIfPresent(width, forKey: .width)
            try values.encodeIfPresent(fields, forKey: .fields)
            try values.encodeIfPresent(heads, forKey: .heads)
        case .dcn(let layers, let rank):
            try values.encode(Kind.dcn, forKey: .kind)
            try values.encode(layers, forKey: .layers)
            try values.encodeIfPresent(rank, forKey: .rank)
        case .senet(let fields, let reduction):
            try values.encode(Kind.senet, forKey: .kind)
            try values.encodeIfPresent(fields, forKey: .fields)
            try values.encode(reduction, forKey: .reduction)
        case .bilinear(let form, let fields, let pairs):
            try values.encode(Kind.bilinear, forKey: .kind)
            try values.encode(form, forKey: .form)
            try values.encodeIfPresent(fields, forKey: .fields)
            try values.encodeIfPresent(pairs, forKey: .pairs)
        case .fibinet(let form, let fields, let pairs, let reduction):
            try values.encode(Kind.fibinet, forKey: .kind)
            try values.encode(form, forKey: .form)
            try values.encodeIfPresent(fields, forKey: .fields)
            try values.encodeIfPresent(pairs, forKey: .pairs)
            try values.encode(reduction, forKey: .reduction)
        }
    }
}
