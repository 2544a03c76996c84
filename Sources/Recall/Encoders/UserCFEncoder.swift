public import Blobs
import Catalog
import Kernels
import Synchronization

extension ChannelEncoderLoader {
    public static let userCF = ChannelEncoderLoader(name: ChannelName.userCF, component: "usercf") { file, _ in
        try UserCFEncoder(component: file)
    }
}

/// Finds a user's neighbours: the input's keys are theirs, the weights their similarities.
///
/// A user whose last like is the one he had when the index was built has his list there. Of anyone else the neighbours are
/// those of his live last-n, found through the users of each of its items, by the same code.
public final class UserCFEncoder: ChannelEncoder {
    private let users: KeyIndex
    private let userKeys: SharedBuffer<UInt64>
    /// |J_u| by user.
    private let histories: SharedBuffer<UInt32>
    private let newestItems: SharedBuffer<UInt64>
    private let newestTimes: SharedBuffer<Int64>
    private let neighbourOffsets: SharedBuffer<UInt64>
    private let neighbours: SharedBuffer<UInt32>
    private let similarities: SharedBuffer<Float>
    private let items: KeyIndex
    private let itemWeights: SharedBuffer<Float>
    private let postingOffsets: SharedBuffer<UInt64>
    private let postings: SharedBuffer<UInt32>
    private let limit: Int
    /// As many as requests ever ran at once.
    private let lanes = Mutex<[Lane]>([])

    // Sendable: one request at a time takes it from the pool.
    private final class Lane: @unchecked Sendable {
        var users: SimilarUsers

        init(_ users: SimilarUsers) {
            self.users = users
        }
    }

    /// - Complexity: O(users + items + entries): everything is checked.
    public init(component file: SafetensorsFile) throws(BlobError) {
        userKeys = try file.buffer("user_key", as: UInt64.self, shape: [nil])
        histories = try file.buffer("history", as: UInt32.self, shape: [userKeys.count])
        newestItems = try file.buffer("newest_item", as: UInt64.self, shape: [userKeys.count])
        newestTimes = try file.buffer("newest_ms", as: Int64.self, shape: [userKeys.count])
        neighbours = try file.buffer("neighbour", as: UInt32.self, shape: [nil])
        similarities = try file.buffer("similarity", as: Float.self, shape: [neighbours.count])
        neighbourOffsets = try file.offsets("neighbour_offsets", spanning: neighbours.count, rows: userKeys.count)
        let itemKeys = try file.buffer("item_key", as: UInt64.self, shape: [nil])
        itemWeights = try file.buffer("item_weight", as: Float.self, shape: [itemKeys.count])
        postings = try file.buffer("posting", as: UInt32.self, shape: [nil])
        postingOffsets = try file.offsets("posting_offsets", spanning: postings.count, rows: itemKeys.count)
        guard let limit = file.metadata["neighbours"].flatMap({ Int($0) }),
            (1...PostingListChannel.keysMax).contains(limit)
        else {
            throw BlobError(
                .corrupt,
                "\(file.path): metadata \"neighbours\": expected 1 to \(PostingListChannel.keysMax), found "
                    + (file.metadata["neighbours"] ?? "none"))
        }
        self.limit = limit
        users = KeyIndex(userKeys)
        items = KeyIndex(itemKeys)
        try check(file.path)
    }

    private func check(_ path: String) throws(BlobError) {
        func refuse<Value>(
            _ name: String, _ values: SharedBuffer<Value>, unless isGood: (Value) -> Bool
        ) throws(BlobError) {
            guard let fault = values.firstIndex(where: { !isGood($0) }) else { return }
            throw BlobError(.corrupt, "\(path): tensor \"\(name)\": entry \(fault) is \(values[fault])")
        }
        let count = userKeys.count
        try refuse("history", histories) { $0 > 0 }
        try refuse("neighbour", neighbours) { Int($0) < count }
        try refuse("similarity", similarities) { $0 > 0 && $0.isFinite }
        try refuse("item_weight", itemWeights) { $0 > 0 && $0.isFinite }
        try refuse("posting", postings) { Int($0) < count }
    }

    public func input(for user: RecallUser) -> ChannelInput {
        guard let newest = user.state.newestLike else { return ChannelInput() }
        let own = users.row(of: user.state.user)
        if let own, newestItems[own] == newest.item.rawValue, newestTimes[own] == newest.timeMilliseconds {
            let range = Int(neighbourOffsets[own])..<Int(neighbourOffsets[own + 1])
            return ChannelInput(
                keys: SharedBuffer(neighbours[shared: range].map { userKeys[Int($0)] }),
                weights: similarities[shared: range])
        }
        return liveNeighbours(of: Triggers(user.state), but: own)
    }

    /// - Complexity: O(last-n * users found through an item).
    private func liveNeighbours(of triggers: Triggers, but own: Int?) -> ChannelInput {
        let lane = lanes.withLock { $0.popLast() } ?? Lane(SimilarUsers(users: userKeys.count, neighbours: limit))
        defer { lanes.withLock { $0.append(lane) } }
        var history = 0
        for (item, interest) in zip(triggers.items, triggers.weights) where interest > 0 {
            history += 1
            guard let row = items.row(of: item) else { continue }
            let range = Int(postingOffsets[row])..<Int(postingOffsets[row + 1])
            postings[shared: range].withUnsafeBufferPointer { lane.users.add(itemWeights[row], to: $0) }
        }
        let found = histories.withUnsafeBufferPointer {
            lane.users.take(history: history, histories: $0, but: own)
        }
        return ChannelInput(
            keys: SharedBuffer(found.map { userKeys[Int($0.id)] }), weights: SharedBuffer(found.map(\.score)))
    }
}
