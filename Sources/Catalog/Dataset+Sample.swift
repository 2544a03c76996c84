import Kernels

extension Dataset {
    /// The row of the user in the middle of those with a history, by the number of their positive exposures.
    ///
    /// - Complexity: O(exposures + u log u).
    public var middlingUser: Int? {
        var counts = [Int](repeating: 0, count: users.count)
        for row in 0..<exposures.count
        where !Actions(rawValue: exposures.actions[row]).isDisjoint(with: .positive) {
            counts[Int(exposures.users[row])] += 1
        }
        let rows = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$0], $0) < (counts[$1], $1) }
        return rows.isEmpty ? nil : rows[rows.count / 2]
    }
}
