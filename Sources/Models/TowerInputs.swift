package import Features
import Kernels

/// One stretch of a tower's input vector: an embedding, a mean of embeddings, or plain numbers.
package struct InputPart: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        case user
        case profile(Int)
        case surface
        case hour
        case weekday
        case recentItems
        case recentCategories
        case recentAuthors
        case item
        case category
        case author
    }

    package var source: Source
    /// Name of the embedding table; sources that embed the same thing share one.
    package var table: String
    package var width: Int

    /// Whether the part is a mean over the last-n rather than one row.
    package var isPooled: Bool {
        switch source {
        case .recentItems, .recentCategories, .recentAuthors: true
        default: false
        }
    }
}

/// How large an embedding table is. Row 0 is what is unknown, all zeros and never trained.
package struct TableShape: Hashable, Sendable {
    package var rows: Int
    package var width: Int
}

/// What the towers of one model read, in order: the one layout of training and serving.
package struct TowerInputs: Sendable {
    package var user: [InputPart] = []
    package var userNumeric: [UserFeature]
    package var item: [InputPart] = []
    package var itemNumeric: [ItemFeature]
    package private(set) var tables: [String: TableShape] = [:]

    package init(
        user: UserTowerSpecification, item: ItemTowerSpecification, widths: EmbeddingWidths, encoder: FeatureEncoder,
        sizes: TableSizes
    ) {
        userNumeric = user.numeric
        itemNumeric = item.numeric
        for field in user.fields {
            switch field {
            case .user: addUser(.user, "user", sizes.users + 1, widths.user)
            case .profile:
                for (index, size) in sizes.profile.enumerated() {
                    addUser(.profile(index), "profile.\(index)", size, widths.small)
                }
            case .surface: addUser(.surface, "surface", sizes.surfaces, widths.small)
            case .hour: addUser(.hour, "hour", Clock.hours, widths.small)
            case .weekday: addUser(.weekday, "weekday", Clock.weekdays, widths.small)
            case .recentItems: addUser(.recentItems, "item", sizes.items + 1, widths.item)
            case .recentCategories: addUser(.recentCategories, "category", sizes.categories, widths.category)
            case .recentAuthors: addUser(.recentAuthors, "author", sizes.authors, widths.author)
            }
        }
        for field in item.fields {
            switch field {
            case .item: addItem(.item, "item", sizes.items + 1, widths.item)
            case .category: addItem(.category, "category", sizes.categories, widths.category)
            case .author: addItem(.author, "author", sizes.authors, widths.author)
            }
        }
    }

    package var userWidth: Int { user.reduce(userNumeric.count) { $0 + $1.width } }
    package var itemWidth: Int { item.reduce(itemNumeric.count) { $0 + $1.width } }

    private mutating func addUser(_ source: InputPart.Source, _ table: String, _ rows: Int, _ width: Int) {
        user.append(InputPart(source: source, table: table, width: width))
        tables[table] = TableShape(rows: rows, width: width)
    }

    private mutating func addItem(_ source: InputPart.Source, _ table: String, _ rows: Int, _ width: Int) {
        item.append(InputPart(source: source, table: table, width: width))
        tables[table] = TableShape(rows: rows, width: width)
    }
}
