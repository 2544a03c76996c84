extension RankerSpecification {
    /// Sizes beyond which a specification is a mistake: a layer of 65,536 outputs on as many inputs would take 16 GiB.
    private static let widthMax = 65_536
    private static let layersMax = 32
    private static let expertsMax = 64
    /// Behaviours of a sequence: ten times what lifelong histories in the literature have.
    private static let lengthMax = 500_000

    /// - Throws: `ModelError.invalid` that names the first thing that cannot be meant.
    public func validate() throws(ModelError) {
        try unique(fields.map(\.name) + sequences.map(\.name), "field or sequence")
        try unique(heads.map(\.name), "head")
        try check(!fields.isEmpty, "fields: at least one")
        try check(!heads.isEmpty, "heads: at least one")
        for (name, table) in tables.sorted(by: { $0.key < $1.key }) { try width(table.width, "tables.\(name).width") }
        for field in fields { try validate(field) }
        for sequence in sequences { try validate(sequence) }
        let used = Set(
            fields.filter { $0.kind != .numeric }.map(\.tableName) + sequences.flatMap { $0.columns.map(\.table) })
        for name in tables.keys.sorted() { try check(used.contains(name), "tables.\(name): nothing uses it") }
        for (index, crossing) in crossings.enumerated() {
            try validate(crossing, "crossings[\(index)] (\(crossing.kindName))")
        }
        if let deep {
            try widths(deep.widths, "deep.widths")
            try share(deep.dropout, "deep.dropout")
        }
        if let personal { try validate(personal) }
        try validateSharing()
        for head in heads { try validate(head) }
        guard let negatives else { return }
        try check(
            negatives.rate > 0 && negatives.rate <= 1,
            "negatives.rate: expected more than 0, at most 1, found \(negatives.rate)")
        guard let sampled = heads.first(where: { $0.name == negatives.head }) else {
            throw ModelError(
                .invalid, "negatives.head: there is no head '\(negatives.head)'\(known(heads.map(\.name)))")
        }
        try check(
            sampled.kind == .binary && sampled.given == nil,
            "negatives.head: '\(negatives.head)' is not a binary head of all rows")
    }

    private func validate(_ field: RankerField) throws(ModelError) {
        let place = "fields: \(field.name)"
        try check(!field.name.isEmpty, "fields: a name is empty")
        if field.kind == .numeric {
            try check(field.table == nil, "\(place): numbers have no table")
            try width(field.count, "\(place): count")
        } else {
            try check(
                tables[field.tableName] != nil,
                "\(place): there is no table '\(field.tableName)'\(known(tables.keys.sorted()))")
            try check(field.count == 1, "\(place): count is of numeric fields")
        }
        try check(field.kind == .multivalued || field.pooling == .mean, "\(place): pooling is of multivalued fields")
    }

    private func validate(_ sequence: RankerSequence) throws(ModelError) {
        let place = "sequences: \(sequence.name)"
        try check(!sequence.name.isEmpty, "sequences: a name is empty")
        try check(!sequence.columns.isEmpty, "\(place): columns: at least one")
        try check(
            (1...Self.lengthMax).contains(sequence.length),
            "\(place): length: expected 1...\(Self.lengthMax), found \(sequence.length)")
        try check(
            sequence.ageWidth >= 0 && sequence.ageWidth <= Self.widthMax,
            "\(place): ageWidth: expected 0...\(Self.widthMax), found \(sequence.ageWidth)")
        for column in sequence.columns {
            guard let table = tables[column.table] else {
                throw ModelError(
                    .invalid, "\(place): there is no table '\(column.table)'\(known(tables.keys.sorted()))")
            }
            guard let query = column.query else { continue }
            guard let field = fields.first(where: { $0.name == query }), field.kind == .categorical else {
                let queries = fields.filter { $0.kind == .categorical }.map(\.name)
                throw ModelError(.invalid, "\(place): query '\(query)' is not a categorical field\(known(queries))")
            }
            try check(
                tables[field.tableName]?.width == table.width,
                "\(place): query '\(query)' and table '\(column.table)' differ in width")
        }
        if sequence.form == .mean {
            try check(sequence.search == nil, "\(place): a mean has no search; choose the form layers or dot")
            try check(
                sequence.columns.allSatisfy { $0.query == nil }, "\(place): a mean compares nothing, it has no query")
        } else {
            try widths(sequence.hidden, "\(place): hidden")
            try check(sequence.columns.contains { $0.query != nil }, "\(place): no column has a query to attend by")
        }
        if let search = sequence.search {
            try check(
                sequence.columns.indices.contains(search.column),
                "\(place): search.column: there is none \(search.column)")
            let column = sequence.columns[search.column]
            try check(column.query != nil, "\(place): search.column: column \(search.column) has no query")
            let field = fields.first { $0.name == column.query }
            try check(
                field?.tableName == column.table, "\(place): search: '\(column.query ?? "")' is of another table")
            try check(search.limit > 0, "\(place): search.limit: expected at least 1, found \(search.limit)")
        }
    }

    private func validate(_ crossing: RankerCrossing, _ place: String) throws(ModelError) {
        for name in crossing.heads ?? [] {
            try check(
                heads.contains { $0.name == name }, "\(place): there is no head '\(name)'\(known(heads.map(\.name)))")
        }
        switch crossing {
        case .linear: break
        case .fm(let size, let names, _):
            let embedded = fields.filter { $0.kind != .numeric }.map(\.name)
            let chosen = names == nil ? embedded : try crossed(names, place)
            try check(chosen.allSatisfy { embedded.contains($0) }, "\(place): sequences have no part in it")
            if let size { return try width(size, "\(place).width") }
            let sizes = Set(chosen.compactMap(width(of:)))
            try check(sizes.count == 1, "\(place): the fields are of widths \(sizes.sorted()): give a width of its own")
        case .dcn(let layers, let rank):
            try check(
                (1...Self.layersMax).contains(layers),
                "\(place).layers: expected 1...\(Self.layersMax), found \(layers)")
            if let rank { try width(rank, "\(place).rank") }
        case .senet(let names, let reduction):
            _ = try crossed(names, place)
            try check(reduction > 0, "\(place).reduction: expected at least 1, found \(reduction)")
        case .bilinear(_, let names, let pairs):
            try validate(pairs, of: crossed(names, place), place)
        case .fibinet(_, let names, let pairs, let reduction):
            try validate(pairs, of: crossed(names, place), place)
            try check(reduction > 0, "\(place).reduction: expected at least 1, found \(reduction)")
        }
    }

    private func validate(_ pairs: [[String]]?, of names: [String], _ place: String) throws(ModelError) {
        guard let pairs else { return try check(names.count > 1, "\(place): at least two fields") }
        try check(!pairs.isEmpty, "\(place).pairs: at least one, or leave the key out")
        for pair in pairs {
            try check(pair.count == 2 && pair[0] != pair[1], "\(place).pairs: expected two fields, found \(pair)")
            for name in pair {
                try check(names.contains(name), "\(place).pairs: '\(name)' is not among the fields\(known(names))")
            }
        }
        try check(Set(pairs).count == pairs.count, "\(place).pairs: a pair is there twice")
    }

    /// The names a crossing chooses.
    func crossed(_ names: [String]?, _ place: String) throws(ModelError) -> [String] {
        guard let names else { return crossable }
        try check(!names.isEmpty, "\(place).fields: at least one, or leave the key out")
        try check(Set(names).count == names.count, "\(place).fields: a name is there twice")
        for name in names {
            try check(
                crossable.contains(name),
                "\(place).fields: '\(name)' is no field with an embedding, and no sequence\(known(crossable))")
        }
        return names
    }

    private func validate(_ gates: RankerPersonalGates) throws(ModelError) {
        try check(!gates.fields.isEmpty, "personal.fields: at least one")
        for name in gates.fields {
            try check(
                fields.contains { $0.name == name },
                "personal.fields: there is no field '\(name)'\(known(fields.map(\.name)))")
        }
        try width(gates.hidden, "personal.hidden")
        try check(gates.deep || gates.towers, "personal: nothing to gate")
        try check(!gates.deep || deep != nil, "personal.deep: there is no deep net")
        try check(!gates.towers || heads.contains { !$0.tower.isEmpty }, "personal.towers: no tower has a hidden layer")
    }

    private func validateSharing() throws(ModelError) {
        switch shared {
        case .none: break
        case .bottom(let sizes): try widths(sizes, "shared.widths")
        case .mmoe(let experts, let sizes, let gateDropout):
            try check(
                (1...Self.expertsMax).contains(experts),
                "shared.experts: expected 1...\(Self.expertsMax), found \(experts)")
            try widths(sizes, "shared.widths")
            try share(gateDropout, "shared.gateDropout")
        case .ple(let own, let common, let levels, let gateDropout):
            try check((1...Self.expertsMax).contains(own), "shared.own: expected 1...\(Self.expertsMax), found \(own)")
            try check(
                (1...Self.expertsMax).contains(common),
                "shared.shared: expected 1...\(Self.expertsMax), found \(common)")
            try check(
                !levels.isEmpty && levels.count <= Self.layersMax,
                "shared.levels: expected 1...\(Self.layersMax) of them")
            for level in levels { try widths(level, "shared.levels") }
            try share(gateDropout, "shared.gateDropout")
        }
        guard !hasBody else { return }
        try check(sequences.isEmpty, "sequences: no block reads them")
        for head in heads {
            try check(head.tower.isEmpty, "heads: \(head.name): a tower with nothing below it")
            try check(
                crossings.contains { $0.heads?.contains(head.name) ?? true },
                "heads: \(head.name): no block leads to it")
        }
    }

    private func validate(_ head: RankerHead) throws(ModelError) {
        let place = "heads: \(head.name)"
        try check(!head.name.isEmpty, "heads: a name is empty")
        try check(
            head.weight > 0 && head.weight.isFinite, "\(place): weight: expected more than 0, found \(head.weight)")
        for size in head.tower { try width(size, "\(place): tower") }
        try check(
            head.threshold > 0 && head.threshold < 1, "\(place): threshold: expected 0...1, found \(head.threshold)")
        guard let given = head.given else { return }
        guard let condition = heads.first(where: { $0.name == given }), given != head.name else {
            let others = heads.map(\.name).filter { $0 != head.name }
            throw ModelError(.invalid, "\(place): given: there is no other head '\(given)'\(known(others))")
        }
        try check(condition.kind == .binary, "\(place): given: '\(given)' is not binary")
    }

    /// The end of a message about a name that there is not.
    private func known(_ names: [String]) -> String {
        names.isEmpty ? "" : "; there \(names.count == 1 ? "is" : "are") \(names.joined(separator: ", "))"
    }

    private func unique(_ names: [String], _ kind: String) throws(ModelError) {
        var seen: Set<String> = []
        for name in names { try check(seen.insert(name).inserted, "two of a \(kind) are named '\(name)'") }
    }

    private func width(_ value: Int, _ place: String) throws(ModelError) {
        try check((1...Self.widthMax).contains(value), "\(place): expected 1...\(Self.widthMax), found \(value)")
    }

    private func widths(_ values: [Int], _ place: String) throws(ModelError) {
        try check(!values.isEmpty && values.count <= Self.layersMax, "\(place): expected 1...\(Self.layersMax) layers")
        for value in values { try width(value, place) }
    }

    private func share(_ value: Float, _ place: String) throws(ModelError) {
        try check(value >= 0 && value < 1, "\(place): expected 0 or more, less than 1, found \(value)")
    }

    private func check(_ holds: Bool, _ message: @autoclosure () -> String) throws(ModelError) {
        guard holds else { throw ModelError(.invalid, message()) }
    }
}

extension RankerSpecification {
    /// What crossings may choose: fields with an embedding, then sequences.
    var crossable: [String] { fields.filter { $0.kind != .numeric }.map(\.name) + sequences.map(\.name) }

    /// Columns of a field with an embedding, or of a sequence.
    func width(of name: String) -> Int? {
        if let field = fields.first(where: { $0.name == name }) {
            return field.kind == .numeric ? nil : tables[field.tableName]?.width
        }
        guard let sequence = sequences.first(where: { $0.name == name }) else { return nil }
        return sequence.columns.reduce(sequence.ageWidth) { $0 + (tables[$1.table]?.width ?? 0) }
    }

    /// Whether anything stands between inputs and towers beside what is added to the logits. Without any block at all the
    /// inputs themselves do.
    var hasBody: Bool {
        deep != nil || shared != .none || crossings.isEmpty || crossings.contains { !$0.isScalar }
    }

    /// Whether anything reads the fields' embeddings: logistic regression, and factorisation machines with vectors of their
    /// own, do not.
    var usesEmbeddings: Bool {
        hasBody
            || crossings.contains {
                if case .fm(nil, _, _) = $0 { true } else { false }
            }
    }
}
