import Catalog
import Models
import Recall

/// A channel of item-to-item lists: `itemcf`, `swing`.
final class SimilarityTrainer: RecallTrainer {
    let name: String
    let channels: [String]
    private let build: (RecallLog, @escaping @Sendable (Double) -> Void) -> SimilarityLists

    /// - Parameter channel: the channel's name, and its component's.
    private init(
        _ channel: String, build: @escaping (RecallLog, @escaping @Sendable (Double) -> Void) -> SimilarityLists
    ) {
        name = channel
        channels = [channel]
        self.build = build
    }

    func train(on log: RecallLog) -> RecallComponents {
        let lists = build(log) { [progress = log.progress] in progress.update(share: $0) }
        let postings = lists.postings
        var components = RecallComponents()
        components.sharded[name] = { .init(tensors: postings.component(shard: $0, of: $1)) }
        components.figures = lists.figures
        return components
    }

    static func itemCF(_ specification: ItemCFSpecification) -> SimilarityTrainer {
        SimilarityTrainer(ChannelName.itemCF) { log, progress in
            ItemCFBuilder(
                historyMax: specification.historyMax, neighbours: specification.neighbours, threads: log.options.threads
            ).build(log.dataset, until: log.until, progress: progress)
        }
    }

    static func swing(_ specification: SwingSpecification) -> SimilarityTrainer {
        SimilarityTrainer(ChannelName.swing) { log, progress in
            SwingBuilder(
                alpha: specification.alpha, historyMax: specification.historyMax, usersMax: specification.usersMax,
                neighbours: specification.neighbours, seed: log.options.seed, threads: log.options.threads
            ).build(log.dataset, until: log.until, progress: progress)
        }
    }
}

/// A channel of item-to-item lists whose encoder weighs the user's last items by their place: `sequence`, `markov`, `ease`.
final class TriggerListTrainer: RecallTrainer {
    let name: String
    let channels: [String]
    private let encoder: TriggerEncoder
    private let build: (RecallLog, @escaping @Sendable (Double) -> Void) throws -> SimilarityLists

    private init(
        _ channel: String, weights: [Float],
        build: @escaping (RecallLog, @escaping @Sendable (Double) -> Void) throws -> SimilarityLists
    ) {
        name = channel
        channels = [channel]
        encoder = TriggerEncoder(weights: weights)
        self.build = build
    }

    func train(on log: RecallLog) throws -> RecallComponents {
        let lists = try build(log) { [progress = log.progress] in progress.update(share: $0) }
        let postings = lists.postings
        var components = RecallComponents()
        components.shared[TriggerEncoder.component(of: name)] = encoder.component()
        components.sharded[name] = { .init(tensors: postings.component(shard: $0, of: $1)) }
        components.figures = lists.figures.merging(["triggers": Double(encoder.weights.count)]) { $1 }
        return components
    }

    static func sequence(_ specification: SequenceSpecification) -> TriggerListTrainer {
        sequence(
            ChannelName.sequence, specification, weights: (1...specification.triggers).map { 1 / Float($0) })
    }

    /// The first-order Markov chain: what users who were where the user is went on to.
    static func markov() -> TriggerListTrainer {
        var specification = SequenceSpecification()
        specification.window = 1
        specification.normalization = 1
        specification.neighbours = 500
        return sequence(ChannelName.markov, specification, weights: [1])
    }

    private static func sequence(
        _ channel: String, _ specification: SequenceSpecification, weights: [Float]
    ) -> TriggerListTrainer {
        TriggerListTrainer(channel, weights: weights) { log, progress in
            var builder = SequenceRulesBuilder()
            builder.window = specification.window
            builder.normalization = specification.normalization
            builder.historyMax = specification.historyMax
            builder.neighbours = specification.neighbours
            builder.threads = log.options.threads
            return builder.build(log.dataset, until: log.until, progress: progress)
        }
    }

    static func ease(_ specification: EASESpecification) -> TriggerListTrainer {
        let weights = [Float](repeating: 1, count: UserState.recentMax)
        return TriggerListTrainer(ChannelName.ease, weights: weights) { log, progress in
            try EASEBuilder(
                regularization: specification.regularization, historyMax: specification.historyMax,
                neighbours: specification.neighbours, threads: log.options.threads
            ).build(log.dataset, until: log.until, progress: progress)
        }
    }
}

/// The `usercf` channel: neighbours for the orchestrator, histories for the shards.
final class UserCFTrainer: RecallTrainer {
    let name = ChannelName.userCF
    let channels = [ChannelName.userCF]
    private let specification: UserCFSpecification

    init(_ specification: UserCFSpecification) {
        self.specification = specification
    }

    func train(on log: RecallLog) -> RecallComponents {
        let index = UserCFBuilder(
            historyMax: specification.historyMax, usersMax: specification.usersMax,
            neighbours: specification.neighbours, seed: log.options.seed, threads: log.options.threads
        ).build(log.dataset, states: log.states, until: log.until) { [progress = log.progress] in
            progress.update(share: $0)
        }
        let histories = index.itemsOfUsers
        var components = RecallComponents()
        components.shared["usercf"] = index.component()
        components.sharded["usercf-histories"] = { .init(tensors: histories.component(shard: $0, of: $1)) }
        components.figures = index.figures
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
