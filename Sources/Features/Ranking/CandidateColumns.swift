/// What the numbers of candidates are looked up by, a column each. Filled for each request, its memory used again.
struct CandidateColumns {
    /// Catalogue rows; -1 for items that the model is not to know.
    private(set) var items: [Int32] = []
    /// Numbers of authors and categories; -1 for unknown ones.
    private(set) var authors: [Int32] = []
    private(set) var categories: [Int32] = []
    /// Where the counts of the user's touches are, of the candidate's author and category.
    private(set) var authorTouches: [Int32] = []
    private(set) var categoryTouches: [Int32] = []
    private(set) var crosses: [CrossEncoder.Candidate] = []
    /// Of ``entities(of:_:value:)``.
    private var split: [Int32] = []

    mutating func fill(
        _ candidates: [RankingCandidate], cross: borrowing CrossEncoder, byAuthor: borrowing RecentStatistics,
        byCategory: borrowing RecentStatistics
    ) {
        items.removeAll(keepingCapacity: true)
        authors.removeAll(keepingCapacity: true)
        categories.removeAll(keepingCapacity: true)
        authorTouches.removeAll(keepingCapacity: true)
        categoryTouches.removeAll(keepingCapacity: true)
        crosses.removeAll(keepingCapacity: true)
        for candidate in candidates {
            let (author, category) = (candidate.features.author, candidate.features.category)
            items.append(candidate.isAnonymous ? -1 : candidate.row.map { Int32($0) } ?? -1)
            authors.append(author == 0 ? -1 : Int32(author))
            categories.append(category == 0 ? -1 : Int32(category))
            authorTouches.append(author == 0 ? RecentStatistics.none : byAuthor.entry(of: author))
            categoryTouches.append(category == 0 ? RecentStatistics.none : byCategory.entry(of: category))
            crosses.append(cross.candidate(row: candidate.isAnonymous ? nil : candidate.row, candidate.features))
        }
    }

    /// Places in a part's table; -1 for an item that was never shown, and for an unknown author or category.
    ///
    /// - Parameter value: of the viewer, by which the part is split.
    mutating func entities(of part: borrowing RankingStatistics.Part, value: Int) -> [Int32] {
        switch part.owner {
        case .item where part.values == 1: return items
        case .item:
            let (values, value) = (Int32(part.values), Int32(value))
            split.removeAll(keepingCapacity: true)
            for item in items { split.append(item < 0 ? -1 : item * values + value) }
            return split
        case .author: return authors
        case .category: return categories
        case .surface: preconditionFailure("a surface is no candidate's")
        }
    }
}
