import Recall

/// The `itemcf` channel.
final class ItemCFTrainer: RecallTrainer {
    let name = "itemcf"
    let channels = [ChannelName.itemCF]

    func train(on log: RecallLog) -> RecallComponents {
        let builder = ItemCFBuilder(threads: log.options.threads)
        let lists = builder.build(log.dataset, until: log.until) { [progress = log.progress] share in
            progress.update(done: Int(share * 1_000), of: 1_000)
        }
        var components = RecallComponents()
        components.sharded["itemcf"] = { .init(tensors: lists.component(shard: $0, of: $1)) }
        components.figures = [
            "history_max": Double(builder.historyMax), "neighbours": Double(builder.neighbours),
            "capped_users": Double(lists.cappedUsers), "dropped_showings": Double(lists.droppedShowings),
            "pairs": Double(lists.pairs),
        ]
        return components
    }
}

/// The channels that are one list for everyone: `popular` and `newest`.
final class RankedListTrainer: RecallTrainer {
    let name = "popular, newest"
    let channels = [ChannelName.popular, ChannelName.newest]

    func train(on log: RecallLog) -> RecallComponents {
        let popular = RankedList.popular(log.dataset, until: log.until)
        let newest = RankedList.newest(log.dataset, until: log.until)
        var components = RecallComponents()
        components.sharded["popular"] = { .init(tensors: popular.component(shard: $0, of: $1)) }
        components.sharded["newest"] = { .init(tensors: newest.component(shard: $0, of: $1)) }
        return components
    }
}
