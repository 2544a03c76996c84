import Features

/// The JSON of a specification; unknown keys are errors, and what was written by the form before is read.
extension FusionSpecification {
    private enum Key: String, CodingKey, CaseIterable {
        case formula, terms
    }

    /// Keys of the one formula there was once: `p_click^clickPower (1 + watchWeight seconds)^watchPower`.
    private enum OldKey: String, CodingKey {
        case clickPower, watchWeight, watchPower
    }

    public init(from decoder: any Decoder) throws {
        let old = try decoder.container(keyedBy: OldKey.self)
        if let clickPower = try old.decodeIfPresent(Float.self, forKey: .clickPower) {
            self.init(
                .powers,
                [
                    FusionTerm(head: "click", power: clickPower, offset: 0),
                    FusionTerm(
                        head: "watch_time", weight: try old.decode(Float.self, forKey: .watchWeight),
                        power: try old.decode(Float.self, forKey: .watchPower)),
                ])
            return
        }
        let values = try decoder.values(of: Key.self)
        self.init(
            try values.decode(Formula.self, forKey: .formula), try values.decode([FusionTerm].self, forKey: .terms))
    }
}

extension FusionTerm {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case head, attribute, weight, power, offset, lengthAdjusted
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.values(of: CodingKeys.self)
        self.init(
            head: try values.decodeIfPresent(String.self, forKey: .head),
            attribute: try values.decodeIfPresent(Attribute.self, forKey: .attribute),
            weight: try values.decodeIfPresent(Float.self, forKey: .weight),
            power: try values.decodeIfPresent(Float.self, forKey: .power),
            offset: try values.decodeIfPresent(Float.self, forKey: .offset),
            lengthAdjusted: try values.value(.lengthAdjusted, or: false))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(head, forKey: .head)
        try container.encodeIfPresent(attribute, forKey: .attribute)
        try container.encodeIfPresent(weight, forKey: .weight)
        try container.encodeIfPresent(power, forKey: .power)
        try container.encodeIfPresent(offset, forKey: .offset)
        if lengthAdjusted { try container.encode(true, forKey: .lengthAdjusted) }
    }
}
