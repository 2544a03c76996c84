public import Catalog
public import Kernels

/// Builds the index of UserCF: for every user the `neighbours` most similar ones.
///
/// sim(u1, u2) = sum over items l that both like of 1 / log(1 + n_l), divided by sqrt(|J_u1| |J_u2|), where n_l users like
/// l: agreeing on what few like says more.
///
/// Through an item with more than `usersMax` users, a fixed draw of them is found; n_l counts all. The same seed gives the
/// same index on any number of threads.
///
/// Work: the sum over users of the users counted of each liked item, which both caps bound. Memory: the interest matrix, and
/// for each thread 12 bytes a user.
public struct UserCFBuilder: Sendable {
    /// Most recently liked items of a user that count, and that his neighbours are offered.
    public var historyMax: Int
    /// Users of an item that are found through it.
    public var usersMax: Int
    /// Neighbours of a user.
    public var neighbours: Int
    public var seed: UInt64
    public var threads: Int

    public init(
        historyMax: Int = UserState.recentMax, usersMax: Int = 1_000, neighbours: Int = 50, seed: UInt64 = 1,
        threads: Int = Threads.all.count
    ) {
        self.historyMax = historyMax
        self.usersMax = usersMax
        self.neighbours = neighbours
        self.seed = seed
        self.threads = threads
    }

    /// - Parameters:
    ///   - states: `[U]`, the users as they are at `until`, in user table order: who is still so when he asks has his list.
    ///   - until: showings at or after this moment (milliseconds since 1970) do not count.
    ///   - progress: called now and then, from any thread, with the share of users done, 0...1.
    public func build(
        _ dataset: Dataset, states: [UserState], until: Int64? = nil, progress: (@Sendable (Double) -> Void)? = nil
    ) -> UserCFIndex {
        precondition(states.count == dataset.users.count, "a state of every user")
        let interests = InterestMatrix(dataset, until: until, historyMax: historyMax)
        let drawn = interests.byItem.sampled(max: usersMax, seed: seed)
        let weights = (0..<interests.byItem.rows).map { SimilarUsers.weight(likes: interests.byItem.range($0).count) }
        let histories = (0..<interests.byUser.rows).map { UInt32(interests.byUser.range($0).count) }
        let lists = NeighbourLists(
            rows: histories.count, length: neighbours, threads: Threads(max(1, threads)), progress: progress
        ) {
            SimilarUsers(users: histories.count, neighbours: neighbours)
        } neighbours: { lane, user in
            for entry in interests.byUser.range(user) {
                let item = Int(interests.byUser.columns[entry])
                drawn.rows.columns.withUnsafeBufferPointer {
                    lane.add(weights[item], to: UnsafeBufferPointer(rebasing: $0[drawn.rows.range(item)]))
                }
            }
            return histories.withUnsafeBufferPointer { histories in
                lane.take(history: Int(histories[user]), histories: histories, but: user)
                    .map { .init(row: Int($0.id), similarity: $0.score) }
            }
        }
        return UserCFIndex(
            users: dataset.users.keys, items: dataset.items.keys, newest: states.map(\.newestLike),
            histories: interests.byUser, postings: drawn.rows, weights: weights, lists: lists,
            figures: interests.figures.merging([
                "neighbours": Double(neighbours), "users_per_item_max": Double(usersMax),
                "capped_items": Double(drawn.capped),
            ]) { $1 })
    }
}

extension UserState {
    /// The last thing the user liked, and when he touched it: while it stays the last, he likes what he liked.
    var newestLike: Interaction? {
        recent.last { $0.actions.interest > 0 }
    }
}
