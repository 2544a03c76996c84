import Models

extension ChannelEncoderLoader {
    public static let deepRetrieval = ChannelEncoderLoader(
        name: ChannelName.deepRetrieval, component: "deep-retrieval"
    ) { DeepRetrievalEncoder(net: try DeepRetrievalUserNet($0, items: $1.items, itemIndex: $1.index)) }
}

/// The user net of Deep Retrieval and its beam search, once per request: the input's keys are the user's paths, the weights
/// log p(path | user), the vector is what the shards score items with.
struct DeepRetrievalEncoder: ChannelEncoder {
    let net: DeepRetrievalUserNet

    func input(for user: RecallUser) -> ChannelInput {
        let query = net.query(user.state)
        return ChannelInput(keys: query.paths, weights: query.logProbabilities, vector: query.vector)
    }
}
