import Blobs
import Catalog
import Kernels

extension ChannelEncoderLoader {
    public static let followedAuthor = ChannelEncoderLoader(
        name: ChannelName.followedAuthor, component: "follows"
    ) { FollowedAuthorEncoder(follows: try FollowedAuthors($0), catalogue: $1) }

    public static let author = ChannelEncoderLoader(name: ChannelName.author) { AuthorEncoder(catalogue: $0) }

    public static let similarAuthor = ChannelEncoderLoader(
        name: ChannelName.similarAuthor, component: "similar-authors"
    ) { try SimilarAuthorEncoder($0, catalogue: $1) }
}

/// The authors a user follows, newest first, by the snapshot and by what he did since: weight 1 each.
struct FollowedAuthorEncoder: ChannelEncoder {
    let follows: FollowedAuthors
    let catalogue: ChannelEncoderLoader.Catalogue

    func input(for user: RecallUser) -> ChannelInput {
        var authors = AuthorWeights()
        for (author, _) in catalogue.touchedAuthors(user, by: .follow) { authors.set(author, 1) }
        for author in follows.authors(of: user.state.user) { authors.set(author, 1) }
        return authors.input
    }
}

/// The authors of what the user liked, collected or shared among his last-n: as heavy as there are such actions.
struct AuthorEncoder: ChannelEncoder {
    /// What earns an author a place.
    static let actions: Actions = [.like, .collect, .share]

    let catalogue: ChannelEncoderLoader.Catalogue

    func input(for user: RecallUser) -> ChannelInput {
        var authors = AuthorWeights()
        for (author, actions) in catalogue.touchedAuthors(user, by: Self.actions) {
            authors.add(author, actions.intersection(Self.actions).interest)
        }
        return authors.input
    }
}

/// Authors who share followers with those of what the user liked, collected, shared or whose author he followed:
/// w(b) = sum over his authors a of sim(a, b), without his authors themselves. When he did none of that, his authors are
/// those of what he clicked.
struct SimilarAuthorEncoder: ChannelEncoder {
    /// Authors of the user that are looked at, the last touched.
    private static let authorsMax = 50

    private let rows: KeyRows
    private let similar: SharedBuffer<UInt64>
    private let similarities: SharedBuffer<Float>
    private let catalogue: ChannelEncoderLoader.Catalogue

    init(_ file: SafetensorsFile, catalogue: ChannelEncoderLoader.Catalogue) throws(BlobError) {
        similar = try file.buffer("similar_author", as: UInt64.self, shape: [nil])
        similarities = try file.buffer("similarity", as: Float.self, shape: [similar.count])
        if let fault = similarities.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw BlobError(
                .corrupt,
                "\(file.path): tensor \"similarity\": entry \(fault) is \(similarities[fault]), expected above 0")
        }
        rows = try KeyRows(file, key: "author_key", spanning: similar.count)
        self.catalogue = catalogue
    }

    func input(for user: RecallUser) -> ChannelInput {
        let chosen = AuthorEncoder.actions.union(.follow)
        var own = authors(user, by: chosen)
        if own.isEmpty { own = authors(user, by: .click) }
        var weights = AuthorWeights()
        for author in own {
            for entry in rows.entries(of: author) where !own.contains(similar[entry]) {
                weights.add(similar[entry], similarities[entry])
            }
        }
        return weights.input
    }

    private func authors(_ user: RecallUser, by actions: Actions) -> [UInt64] {
        var found: [UInt64] = []
        for (author, _) in catalogue.touchedAuthors(user, by: actions) where !found.contains(author) {
            found.append(author)
            if found.count == Self.authorsMax { break }
        }
        return found
    }
}

/// The snapshot's follows, from its `follows` component.
struct FollowedAuthors: Sendable {
    private let rows: KeyRows
    private let followed: SharedBuffer<UInt64>

    init(_ file: SafetensorsFile) throws(BlobError) {
        followed = try file.buffer("author", as: UInt64.self, shape: [nil])
        rows = try KeyRows(file, key: "user_key", spanning: followed.count)
    }

    /// Newest first.
    func authors(of user: UserKey) -> SharedBuffer<UInt64> {
        followed[shared: rows.entries(of: user.rawValue)]
    }
}

extension ChannelEncoderLoader.Catalogue {
    /// The known authors of the items in a user's last-n that he touched in one of the ways, newest first, with all he did.
    func touchedAuthors(_ user: RecallUser, by actions: Actions) -> [(author: UInt64, actions: Actions)] {
        user.state.recent.reversed().compactMap { touch in
            guard !touch.actions.isDisjoint(with: actions) else { return nil }
            let author = index.row(of: touch.item).map { items.authors[$0] } ?? user.liveItems[touch.item]?.author ?? 0
            return author == 0 ? nil : (author, touch.actions)
        }
    }
}

/// Authors with weights, in the order in which they were first named.
private struct AuthorWeights {
    private var keys: [UInt64] = []
    private var weights: [Float] = []
    private var places: [UInt64: Int] = [:]

    mutating func add(_ author: UInt64, _ weight: Float) {
        if let place = places[author] {
            weights[place] += weight
        } else {
            set(author, weight)
        }
    }

    mutating func set(_ author: UInt64, _ weight: Float) {
        guard places[author] == nil else { return }
        places[author] = keys.count
        keys.append(author)
        weights.append(weight)
    }

    /// At most as many as the channel looks at, the heaviest.
    var input: ChannelInput {
        var order = Array(keys.indices)
        if order.count > KeyedListChannel.keysMax {
            order.sort { (weights[$1], $0) < (weights[$0], $1) }
            order = Array(order.prefix(KeyedListChannel.keysMax))
        }
        return ChannelInput(
            keys: SharedBuffer(order.map { keys[$0] }), weights: SharedBuffer(order.map { weights[$0] }))
    }
}
