extension FusionSpecification {
    /// Throws unless the formula can be meant; what depends on a model's heads is checked when it is compiled.
    ///
    /// - Parameter place: where the formula stands, for messages.
    public func validate(_ place: String) throws(ModelError) {
        guard !terms.isEmpty, terms.count <= Self.termsMax else {
            throw ModelError(.invalid, "\(place).terms: expected 1 to \(Self.termsMax), found \(terms.count)")
        }
        var seen: Set<String> = []
        for (index, term) in terms.enumerated() {
            let own = "\(place).\(term.place(index))"
            guard (term.head != nil) != (term.attribute != nil), term.head != "" else {
                throw ModelError(.invalid, "\(own): expected a head or an attribute, and not both")
            }
            guard seen.insert(term.name).inserted else {
                throw ModelError(.invalid, "\(own): there is a term '\(term.name)' already")
            }
            guard !term.lengthAdjusted || term.head != nil else {
                throw ModelError(.invalid, "\(own): only a head's prediction can be adjusted for the length")
            }
            try validate(term, own)
        }
    }

    /// Throws unless a model with these heads has what the formula reads.
    ///
    /// - Parameters:
    ///   - model: what the model is called, for messages.
    ///   - adjustable: heads for which the rate is known at which items of a length are finished.
    public func validate(
        _ place: String, heads: [String], of model: String, adjustable: Set<String> = []
    ) throws(ModelError) {
        try validate(place)
        if formula == .clickTimes, !heads.contains("click") {
            throw ModelError(
                .invalid, "\(place): 'click_times' needs a head 'click'; \(model) has \(heads.joined(separator: ", "))")
        }
        for (index, term) in terms.enumerated() {
            guard let head = term.head else { continue }
            guard heads.contains(head) else {
                throw ModelError(
                    .invalid,
                    "\(place).\(term.place(index)): there is no head '\(head)'; \(model) has "
                        + heads.joined(separator: ", "))
            }
            guard !term.lengthAdjusted || adjustable.contains(head) else {
                let known = adjustable.isEmpty ? "none" : adjustable.sorted().joined(separator: ", ")
                throw ModelError(
                    .invalid,
                    "\(place).\(term.place(index)): '\(head)' has no rate by length; in \(model) these have one: \(known)"
                )
            }
        }
    }

    /// Numbers that a formula can use, with what they may be.
    private struct Ranges {
        var weight: ClosedRange<Float>?
        var power: ClosedRange<Float>?
        var offset: ClosedRange<Float>?
    }

    private func validate(_ term: FusionTerm, _ place: String) throws(ModelError) {
        let ranges = ranges
        try check(term.weight, in: ranges.weight, "\(place).weight")
        try check(term.power, in: ranges.power, "\(place).power")
        try check(term.offset, in: ranges.offset, "\(place).offset")
        if formula == .powers, term.offset == 0, term.weight == 0 {
            throw ModelError(.invalid, "\(place): expected an offset or a weight above 0, found neither")
        }
    }

    private var ranges: Ranges {
        let weights: ClosedRange<Float> = -1e6...1e6
        switch formula {
        case .sum, .clickTimes: return Ranges(weight: weights)
        // A base below zero has no power.
        case .powers: return Ranges(weight: 0...1e6, power: -16...16, offset: 0...1e6)
        // With a power of 0 or less a better place would count no more than a worse one.
        case .ranks: return Ranges(weight: weights, power: 0.01...16, offset: 0...1e6)
        case .commerce: return Ranges(power: -16...16)
        }
    }

    private func check(_ value: Float?, in range: ClosedRange<Float>?, _ place: String) throws(ModelError) {
        guard let value else { return }
        guard let range else {
            throw ModelError(.invalid, "\(place): the formula '\(formula.rawValue)' has no use for it")
        }
        guard range.contains(value) else {
            throw ModelError(
                .invalid, "\(place): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
    }
}

extension FusionTerm {
    /// As messages tell of it.
    fileprivate func place(_ index: Int) -> String { "terms[\(index)]" + (name.isEmpty ? "" : " (\(name))") }
}
