public import Blobs
public import Catalog
import Kernels

/// Who follows whom, and which authors share followers.
///
/// A log without follows takes the users who liked, collected or shared something of an author for his followers; one
/// without those, the users who clicked.
public struct AuthorGraph: Sendable {
    /// What makes a follower.
    public enum Basis: String, Sendable {
        case follows
        case likes
        case clicks
    }

    public let basis: Basis
    /// `[U]`, in user table order: the authors a user follows, newest first.
    private let authors: [[UInt64]]
    private let users: SharedBuffer<UserKey>

    /// Authors kept per user, the newest: a user adds authorsMax^2 pairs of them.
    public static let authorsMax = 200

    /// - Parameter until: what happened at or after this moment (milliseconds since 1970) does not count; nil takes all.
    /// - Complexity: O(showings + follows).
    public init(_ dataset: Dataset, until: Int64? = nil) {
        users = dataset.users.keys
        let rows = Self.rows(dataset, where: [.follow], until: until)
        let told = dataset.follows.users.indices.filter { dataset.follows.times[$0] < until ?? .max }.map {
            (time: dataset.follows.times[$0], user: dataset.follows.users[$0], author: dataset.follows.authors[$0])
        }
        let attempts: [(Basis, () -> [(time: Int64, user: UInt32, author: UInt64)])] = [
            (.follows, { (rows + told).sorted { $0.time < $1.time } }),
            (.likes, { Self.rows(dataset, where: [.like, .collect, .share], until: until) }),
            (.clicks, { Self.rows(dataset, where: [.click], until: until) }),
        ]
        var chosen: (Basis, [(time: Int64, user: UInt32, author: UInt64)]) = (.clicks, [])
        for (basis, find) in attempts where chosen.1.isEmpty { chosen = (basis, find()) }
        basis = chosen.0
        authors = Self.newestFirst(chosen.1, users: dataset.users.count)
    }

    /// Oldest first.
    private static func rows(
        _ dataset: Dataset, where actions: Actions, until: Int64?
    ) -> [(time: Int64, user: UInt32, author: UInt64)] {
        let log = dataset.exposures
        let end = until.map { log.firstRow(notBefore: $0) } ?? log.count
        return (0..<end).compactMap { row in
            let author = dataset.items.authors[Int(log.items[row])]
            guard author != 0, !Actions(rawValue: log.actions[row]).isDisjoint(with: actions) else { return nil }
            return (log.times[row], log.users[row], author)
        }
    }

    private static func newestFirst(
        _ rows: [(time: Int64, user: UInt32, author: UInt64)], users: Int
    ) -> [[UInt64]] {
        var authors = [[UInt64]](repeating: [], count: users)
        var known = [Set<UInt64>](repeating: [], count: users)
        for row in rows.reversed() where authors[Int(row.user)].count < authorsMax {
            if known[Int(row.user)].insert(row.author).inserted { authors[Int(row.user)].append(row.author) }
        }
        return authors
    }

    /// The tensors of the `follows` component: `user_key` U64 `[u]` ascending, `offsets` U64 `[u + 1]`, `author` U64, each
    /// user's newest first. Empty when nobody is known to follow anyone.
    public func followsComponent() -> SafetensorsWriter {
        var keys: [UInt64] = []
        var offsets: [UInt64] = [0]
        var followed: [UInt64] = []
        for user in authors.indices where basis == .follows && !authors[user].isEmpty {
            keys.append(users[user].rawValue)
            followed += authors[user]
            offsets.append(UInt64(followed.count))
        }
        var writer = SafetensorsWriter()
        writer.add("user_key", keys)
        writer.add("offsets", offsets)
        writer.add("author", followed)
        return writer
    }

    /// The most similar authors of every author, best first, ties by ascending key:
    /// sim(a, b) = |F_a and F_b| / sqrt(|F_a| |F_b|) over their followers.
    ///
    /// - Complexity: O(sum over users of their authors squared).
    public func similarAuthors(_ count: Int = 10) -> [UInt64: [(author: UInt64, similarity: Float)]] {
        let keys = Set(authors.joined()).sorted()
        let index = KeyIndex(SharedBuffer(keys))
        let rows = authors.map { $0.compactMap { index.row(of: $0) } }
        var followers = [[Int]](repeating: [], count: keys.count)
        for (user, followed) in rows.enumerated() { for author in followed { followers[author].append(user) } }
        var shared = [Int32](repeating: 0, count: keys.count)
        var found: [UInt64: [(author: UInt64, similarity: Float)]] = [:]
        for author in keys.indices {
            var touched: [Int] = []
            for user in followers[author] {
                for other in rows[user] where other != author {
                    if shared[other] == 0 { touched.append(other) }
                    shared[other] += 1
                }
            }
            var best = TopK(count)
            for other in touched {
                let norm = (Double(followers[author].count) * Double(followers[other].count)).squareRoot()
                best.offer(score: Float(Double(shared[other]) / norm), id: keys[other])
                shared[other] = 0
            }
            if !touched.isEmpty { found[keys[author]] = best.take().map { ($0.id, $0.score) } }
        }
        return found
    }

    /// The tensors of the `similar-authors` component: `author_key` U64 `[a]` ascending, `offsets` U64 `[a + 1]`, and by list
    /// entry `similar_author` U64 and `similarity` F32, best first.
    public func similarAuthorsComponent() -> SafetensorsWriter {
        let lists = similarAuthors().sorted { $0.key < $1.key }
        var offsets: [UInt64] = [0]
        for (_, list) in lists { offsets.append(offsets[offsets.count - 1] + UInt64(list.count)) }
        var writer = SafetensorsWriter(metadata: ["basis": basis.rawValue])
        writer.add("author_key", lists.map(\.key))
        writer.add("offsets", offsets)
        writer.add("similar_author", lists.flatMap { $0.value.map(\.author) })
        writer.add("similarity", lists.flatMap { $0.value.map(\.similarity) })
        return writer
    }
}
