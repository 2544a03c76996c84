public import Blobs
import Catalog
import Kernels
import VectorIndex

extension ChannelLoader {
    public static let popular = ChannelLoader(name: ChannelName.popular, component: "popular") {
        try RankedListChannel(component: $0)
    }

    public static let newest = ChannelLoader(name: ChannelName.newest, component: "newest") {
        try NewestChannel(component: $0)
    }
}

/// A list that is the same for everyone: `popular`.
public struct RankedListChannel: RecallChannel {
    let list: Candidates

    /// - Complexity: O(n): the whole list is checked.
    public init(component file: SafetensorsFile) throws(BlobError) {
        let keys = try file.buffer("item_key", as: UInt64.self, shape: [nil]).reinterpreted(as: ItemKey.self)
        let scores = try file.buffer("score", as: Float.self, shape: [keys.count])
        if let fault = scores.firstIndex(where: { !$0.isFinite }) {
            throw BlobError(
                .corrupt, "\(file.path): tensor \"score\": row \(fault) holds \(scores[fault]), expected a finite value"
            )
        }
        for row in keys.indices.dropFirst() {
            let ordered =
                scores[row - 1] > scores[row] || (scores[row - 1] == scores[row] && keys[row - 1] < keys[row])
            guard ordered else {
                throw BlobError(
                    .corrupt, "\(file.path): rows \(row - 1) and \(row) are not best first with ties by ascending key")
            }
        }
        list = Candidates(items: keys, scores: scores)
    }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        list.first(limit, scratch)
    }
}

/// The items published last, live ones included: `newest`. The score is minus the age in days at the end of the log, so
/// that of a live item is above 0.
public struct NewestChannel: LiveRecallChannel {
    private let list: RankedListChannel
    /// The end of the log, milliseconds since 1970.
    private let until: Int64

    public init(component file: SafetensorsFile) throws(BlobError) {
        list = try RankedListChannel(component: file)
        guard let until = file.metadata["until_ms"].flatMap({ Int64($0) }) else {
            throw BlobError(
                .corrupt, "\(file.path): metadata \"until_ms\": expected the end of the log in milliseconds")
        }
        self.until = until
    }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        try list.candidates(for: query, input: input, limit: limit, scratch: scratch)
    }

    func liveCandidates(
        _ live: LiveView, for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) -> Candidates {
        var best = TopK(min(limit, live.keys.count))
        for place in live.keys.indices {
            let score = Float(Double(live.published[place] - until) / 86_400_000)
            if score < best.threshold { break }
            if !scratch.excluded.contains(live.keys[place]) { best.offer(score: score, id: live.keys[place]) }
        }
        return Candidates(best.take())
    }
}
