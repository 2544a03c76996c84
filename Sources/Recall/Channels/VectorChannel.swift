import Blobs
import Kernels
public import VectorIndex

extension ChannelLoader {
    public static let twoTower = ChannelLoader(name: ChannelName.twoTower, component: "vectors") {
        TwoTowerChannel(vectors: VectorChannel(index: try VectorIndex(component: $0)))
    }

    public static let als = ChannelLoader(name: ChannelName.als, component: "als-vectors") {
        VectorChannel(index: try VectorIndex(component: $0))
    }
}

/// The items whose vectors have the greatest inner product with the user's: `two-tower`, `als`. Its input is the user's
/// vector; an empty one finds nothing.
public struct VectorChannel: RecallChannel {
    public let index: VectorIndex

    public init(index: VectorIndex) {
        self.index = index
    }

    public func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        if input.vector.isEmpty { return Candidates() }
        do throws(VectorIndexError) {
            return Candidates(
                try index.search(
                    input.vector, limit: limit, excluding: scratch.excluded, scratch: scratch.search))
        } catch {
            throw RecallError(.invalidRequest, error.message)
        }
    }
}

/// The vector channel of the two-tower model: live items are found by the vectors that its item tower gives them.
struct TwoTowerChannel: LiveRecallChannel {
    let vectors: VectorChannel

    func candidates(
        for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) throws(RecallError) -> Candidates {
        try vectors.candidates(for: query, input: input, limit: limit, scratch: scratch)
    }

    func liveCandidates(
        _ live: LiveView, for query: RecallQuery, input: ChannelInput, limit: Int, scratch: RecallScratch
    ) -> Candidates {
        let width = input.vector.count
        guard width > 0, live.vectors.count == live.keys.count * width else { return Candidates() }
        var best = TopK(min(limit, live.keys.count))
        let scores = [Float](unsafeUninitializedCapacity: live.keys.count) { scores, count in
            live.vectors.withUnsafeBufferPointer { vectors in
                input.vector.withUnsafeBufferPointer { user in
                    guard let rows = vectors.baseAddress, let query = user.baseAddress, let target = scores.baseAddress
                    else { return }
                    kernels.scan(query: query, rows: rows, count: live.keys.count, width: width, scores: target)
                    count = live.keys.count
                }
            }
        }
        for place in scores.indices where scores[place] >= best.threshold {
            if !scratch.excluded.contains(live.keys[place]) { best.offer(score: scores[place], id: live.keys[place]) }
        }
        return Candidates(best.take())
    }
}
