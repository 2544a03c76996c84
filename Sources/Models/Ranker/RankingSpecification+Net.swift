public import Features

extension RankingSpecification {
    /// The net for a data set: all fields there are unless it names some, a table for each, heads whose event happens.
    ///
    /// - Parameters:
    ///   - schema: The features, resolved for the data set.
    ///   - isLearned: Whether the data set has both outcomes of a head.
    /// - Throws: `ModelError.invalid` that names what the data set has not, or what cannot be meant.
    public func net(
        _ schema: FeatureSchema, isLearned: (RankerHead) -> Bool
    ) throws(ModelError) -> RankerSpecification {
        var result = net
        let fields = schema.fields.map(RankerField.init)
        if !net.fields.isEmpty {
            for field in net.fields {
                guard fields.contains(where: { $0.name == field.name && $0.kind == field.kind }) else {
                    let known = fields.filter { $0.kind == field.kind }.map(\.name).joined(separator: ", ")
                    throw ModelError(
                        .invalid,
                        "ranker.net.fields: there is no \(field.kind.rawValue) feature '\(field.name)'; there are \(known)"
                    )
                }
            }
        }
        result.fields = fields.map { field in
            var field = field
            if let chosen = net.fields.first(where: { $0.name == field.name }) { field.pooling = chosen.pooling }
            return field
        }
        try restrictHeads(of: &result, isLearned)
        let used = Set(
            result.fields.filter { $0.kind != .numeric }.map(\.tableName)
                + result.sequences.flatMap { $0.columns.map(\.table) })
        let tables = schema.tables
        for name in net.tables.keys.sorted() where !tables.contains(name) && !Self.sharedTables.contains(name) {
            let known = tables.sorted().joined(separator: ", ")
            throw ModelError(.invalid, "ranker.net.tables: there is no table '\(name)'; there are \(known)")
        }
        result.tables = [:]
        for name in used {
            result.tables[name] =
                net.tables[name] ?? RankerTable(width: embeddingWidth)
        }
        do throws(ModelError) {
            try result.validate()
        } catch {
            throw ModelError(.invalid, "ranker.net.\(error.message)")
        }
        return result
    }

    /// Tables of things, whether or not a feature reads them.
    private static let sharedTables: Set<String> = ["user", "item", "category", "author", "tag", "city", "surface"]

    private func restrictHeads(
        of result: inout RankerSpecification, _ isLearned: (RankerHead) -> Bool
    ) throws(ModelError) {
        for head in net.heads where head.kind == .binary && head.action == nil {
            let known = RankerHead.events.map(\.name).joined(separator: ", ")
            throw ModelError(
                .invalid, "ranker.net.heads: no event '\(head.name)' is logged; a binary head is one of \(known)")
        }
        result.heads = net.heads.filter(isLearned)
        let kept = Set(result.heads.map(\.name))
        result.heads.removeAll {
            $0.given.map { !kept.contains($0) && Set(net.heads.map(\.name)).contains($0) } ?? false
        }
        if let negatives = net.negatives, net.heads.contains(where: { $0.name == negatives.head }),
            !kept.contains(negatives.head)
        {
            result.negatives = nil
        }
        let names = Set(net.heads.map(\.name))
        result.crossings = net.crossings.compactMap { $0.restricted(to: kept, of: names) }
    }
}

extension RankerCrossing {
    /// Without heads that were left out; nil when none of its heads is left.
    fileprivate func restricted(to kept: Set<String>, of all: Set<String>) -> RankerCrossing? {
        guard let heads else { return self }
        let left = heads.filter { kept.contains($0) || !all.contains($0) }
        guard !left.isEmpty else { return nil }
        return switch self {
        case .linear: .linear(heads: left)
        case .fm(let width, let fields, _): .fm(width: width, fields: fields, heads: left)
        default: self
        }
    }
}
