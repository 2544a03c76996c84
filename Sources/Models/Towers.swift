import Features
import Kernels
import Networks

/// A user tower and an item tower over shared embedding tables: `item` embeds candidates and pooled last-n alike.
///
/// One definition for training (on a tape) and serving (in a plain workspace).
struct Towers {
    private let userSpecification: UserTowerSpecification
    private let itemSpecification: ItemTowerSpecification
    private let tables: [String: EmbeddingTable]
    private let profileFields: Int
    private let user: MLP
    private let item: MLP

    init(
        user: UserTowerSpecification, item: ItemTowerSpecification, widths: EmbeddingWidths, sizes: TableSizes,
        in parameters: ParameterSet
    ) throws(NetworkError) {
        userSpecification = user
        itemSpecification = item
        profileFields = sizes.profile.count
        var tables = TableMaker(parameters: parameters)
        let userWidth = try tables.widths(of: user.fields, widths, sizes)
        let itemWidth = try tables.widths(of: item.fields, widths, sizes)
        self.tables = tables.made
        self.user = try MLP("user", inputs: userWidth + user.numeric.count, widths: user.layers, in: parameters)
        self.item = try MLP("item", inputs: itemWidth + item.numeric.count, widths: item.layers, in: parameters)
    }

    /// - Returns: `[n, user.layers.last]`.
    func users(_ inputs: UserInputs, in workspace: Workspace) -> Tensor {
        var parts: [Tensor] = []
        for field in userSpecification.fields {
            switch field {
            case .user: parts.append(workspace.lookup(table("user"), inputs.users))
            case .profile:
                for index in 0..<profileFields {
                    parts.append(
                        workspace.lookup(
                            table("profile.\(index)"), inputs.profile, first: index, stride: profileFields))
                }
            case .surface: parts.append(workspace.lookup(table("surface"), inputs.surfaces))
            case .hour: parts.append(workspace.lookup(table("hour"), inputs.hours))
            case .weekday: parts.append(workspace.lookup(table("weekday"), inputs.weekdays))
            case .recentItems: parts.append(workspace.lookup(table("item"), inputs.recentItems, pooling: .mean))
            case .recentCategories:
                parts.append(workspace.lookup(table("category"), inputs.recentCategories, pooling: .mean))
            case .recentAuthors:
                parts.append(workspace.lookup(table("author"), inputs.recentAuthors, pooling: .mean))
            case .recentTags: parts.append(workspace.lookup(table("tag"), inputs.recentTags, pooling: .mean))
            case .likedItems: parts.append(workspace.lookup(table("item"), inputs.likedItems, pooling: .mean))
            case .activity: parts.append(workspace.lookup(table("activity"), inputs.activities))
            }
        }
        if !userSpecification.numeric.isEmpty { parts.append(numeric(inputs, in: workspace)) }
        return user(parts, in: workspace)
    }

    /// - Returns: `[n, item.layers.last]`.
    func items(_ inputs: ItemInputs, in workspace: Workspace) -> Tensor {
        var parts: [Tensor] = []
        for field in itemSpecification.fields {
            switch field {
            case .item: parts.append(workspace.lookup(table("item"), inputs.items))
            case .category: parts.append(workspace.lookup(table("category"), inputs.categories))
            case .author: parts.append(workspace.lookup(table("author"), inputs.authors))
            case .city: parts.append(workspace.lookup(table("city"), inputs.cities))
            case .tags: parts.append(workspace.lookup(table("tag"), inputs.tags, pooling: .mean))
            case .durationBucket: parts.append(workspace.lookup(table("duration"), inputs.durationBuckets))
            case .ageBucket: parts.append(workspace.lookup(table("age"), inputs.ageBuckets))
            case .qualityBucket: parts.append(workspace.lookup(table("quality"), inputs.qualityBuckets))
            }
        }
        for feature in itemSpecification.numeric {
            switch feature {
            case .duration: parts.append(workspace.input(inputs.durations, columns: 1))
            case .age: parts.append(workspace.input(inputs.ages, columns: 1))
            case .quality: parts.append(workspace.input(inputs.qualities, columns: 1))
            }
        }
        return item(parts, in: workspace)
    }

    private func numeric(_ inputs: UserInputs, in workspace: Workspace) -> Tensor {
        let (all, chosen) = (UserFeature.allCases, userSpecification.numeric)
        return workspace.input(rows: inputs.count, columns: chosen.count) { values in
            for (column, feature) in chosen.enumerated() {
                guard let place = all.firstIndex(of: feature) else { continue }
                for row in 0..<inputs.count {
                    values[row * chosen.count + column] = inputs.numeric[row * all.count + place]
                }
            }
        }
    }

    private func table(_ name: String) -> EmbeddingTable {
        guard let table = tables[name] else { preconditionFailure("the towers have no table \(name)") }
        return table
    }
}

/// Makes each embedding table once, however many fields read it.
private struct TableMaker {
    let parameters: ParameterSet
    var made: [String: EmbeddingTable] = [:]

    /// How a table's rows start.
    private enum Kind {
        /// Many rows, many of them hardly trained: next to zero, so that such a row is nearly the unknown one, yet not
        /// zero, from where a tower of ids alone would find no direction.
        case ids
        /// Few rows, all of them trained. Row 0 is the unknown value.
        case values
        /// The same, without an unknown value.
        case knownValues

        var deviation: Float { self == .ids ? 1e-3 : 0.05 }
    }

    init(parameters: ParameterSet) {
        self.parameters = parameters
    }

    /// Width of the fields side by side.
    mutating func widths(
        of fields: [UserField], _ widths: EmbeddingWidths, _ sizes: TableSizes
    ) throws(NetworkError) -> Int {
        var total = 0
        for field in fields {
            switch field {
            case .user: total += try make("user", sizes.users + 1, widths.user, .ids)
            case .profile:
                for (index, size) in sizes.profile.enumerated() {
                    total += try make("profile.\(index)", size, widths.small, .values)
                }
            case .surface: total += try make("surface", sizes.surfaces, widths.small, .values)
            case .hour: total += try make("hour", Clock.hours, widths.small, .knownValues)
            case .weekday: total += try make("weekday", Clock.weekdays, widths.small, .knownValues)
            case .recentItems: total += try make("item", sizes.items + 1, widths.item, .ids)
            case .recentCategories: total += try make("category", sizes.categories, widths.category, .values)
            case .recentAuthors: total += try make("author", sizes.authors, widths.author, .ids)
            case .recentTags: total += try make("tag", sizes.tags, widths.category, .values)
            case .likedItems: total += try make("item", sizes.items + 1, widths.item, .ids)
            case .activity: total += try make("activity", Buckets.activities, widths.small, .values)
            }
        }
        return total
    }

    mutating func widths(
        of fields: [ItemField], _ widths: EmbeddingWidths, _ sizes: TableSizes
    ) throws(NetworkError) -> Int {
        var total = 0
        for field in fields {
            switch field {
            case .item: total += try make("item", sizes.items + 1, widths.item, .ids)
            case .category: total += try make("category", sizes.categories, widths.category, .values)
            case .author: total += try make("author", sizes.authors, widths.author, .ids)
            case .city: total += try make("city", sizes.cities, widths.small, .values)
            case .tags: total += try make("tag", sizes.tags, widths.category, .values)
            case .durationBucket: total += try make("duration", Buckets.durations, widths.small, .values)
            case .ageBucket: total += try make("age", Buckets.ages, widths.small, .values)
            case .qualityBucket: total += try make("quality", Buckets.qualities, widths.small, .values)
            }
        }
        return total
    }

    /// Row 0, the unknown value, is zero and stays so: a value that was never trained is then the unknown one to the
    /// model, whether or not the table has a row for it. Nothing is lost by that: one vector more in all rows of a table
    /// is what the bias of the layer above can do.
    private mutating func make(_ name: String, _ rows: Int, _ width: Int, _ kind: Kind) throws(NetworkError) -> Int {
        if made[name] == nil {
            made[name] = try parameters.table(
                name, rows: rows, width: width, initial: .normal(deviation: kind.deviation),
                padding: kind == .knownValues ? nil : 0)
        }
        return width
    }
}
