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
        try decoder.refuseKeys(except: Key.allCases.map(\.rawValue))
        let container = try decoder.container(keyedBy: Key.self)
        let name = try container.decode(String.self, forKey: .formula)
        guard let formula = Formula(rawValue: name) else {
            throw DecodingError.dataCorruptedError(
                forKey: .formula, in: container,
                debugDescription: "expected \(Formula.known), found '\(name)'")
        }
        self.init(formula, try container.decode([FusionTerm].self, forKey: .terms))
    }
}

extension FusionSpecification.Formula {
    /// Their names, for messages.
    public static var known: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension FusionTerm.Attribute {
    /// Their names, for messages.
    public static var known: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension FusionTerm {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case head, attribute, weight, power, offset, lengthAdjusted
    }

    public init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let container = try decoder.container(keyedBy: CodingKeys.self)
        head = try container.decodeIfPresent(String.self, forKey: .head)
        if let name = try container.decodeIfPresent(String.self, forKey: .attribute) {
            guard let attribute = Attribute(rawValue: name) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .attribute, in: container, debugDescription: "expected \(Attribute.known), found '\(name)'")
            }
            self.attribute = attribute
        }
        weight = try container.decodeIfPresent(Float.self, forKey: .weight)
        power = try container.decodeIfPresent(Float.self, forKey: .power)
        offset = try container.decodeIfPresent(Float.self, forKey: .offset)
        lengthAdjusted = try container.decodeIfPresent(Bool.self, forKey: .lengthAdjusted) ?? false
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
