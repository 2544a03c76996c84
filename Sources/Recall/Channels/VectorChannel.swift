import Blobs
public import VectorIndex

extension ChannelLoader {
    public static let twoTower = ChannelLoader(name: ChannelName.twoTower, component: "vectors") {
        VectorChannel(index: try VectorIndex(component: $0))
    }
}

/// The items whose vectors have the greatest inner product with the user's: `two-tower`. Its input is the user's
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
