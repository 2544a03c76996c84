import Models

extension ClusterConfiguration {
    /// The YAML of a cluster on this machine: `shards` x `replicas` recall shards, one ranker, one orchestrator, with
    /// ports counted up from `portBase`.
    ///
    /// With the defaults it is `cluster/local.yaml`.
    public static func localYAML(
        shards: Int = 4, replicas: Int = 1, portBase: Int = 7100, directory: String = "../run"
    ) -> String {
        let lists = (0..<shards).map { shard in
            let addresses = (0..<replicas).map { "127.0.0.1:\(portBase + 100 + shard * replicas + $0)" }
            return "    - [\(addresses.joined(separator: ", "))]"
        }
        let funnel = FunnelConfiguration()
        let deadlines = DeadlineConfiguration()
        let rejected = RejectedLogSizes()
        let channels = funnel.channels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "    \($0.key): \($0.value)" }
        let fusion = FusionSpecification.standard
        let terms = fusion.terms.map { "  #     - \($0.yaml)" }
        return """
            # A Tributary cluster. Relative paths start at this file's folder; addresses may be those of other machines.
            name: local

            # Data, snapshots, logs, and one folder per process.
            directory: \(directory)

            snapshot_server:
              address: 127.0.0.1:\(portBase + 20)

            recall:
              # One line per shard: the addresses of its replicas. The trainer must make as many shards.
              shards:
            \(lists.joined(separator: "\n"))

            rankers: [127.0.0.1:\(portBase + 40)]

            # The public API.
            orchestrators: [127.0.0.1:\(portBase)]

            funnel:
              page_size: \(funnel.pageSize)
              # Candidates per recall channel; a channel left out is off.
              channels:
            \(channels.joined(separator: "\n"))
              # What the pre-ranker lets through to the ranker: so many in all, of each channel and category a few at least.
              prerank:
                keep: \(funnel.preRank.keep)
                channel_minimum: \(funnel.preRank.channelMinimum)
                category_minimum: \(funnel.preRank.categoryMinimum)
              rank:
                # Candidates the ranker returns.
                limit: \(funnel.rankLimit)
              # The score that items are ordered by: docs/operations.md has the formulas. When it is not said, this one is taken
              # as far as the model has its heads.
              # fusion:
              #   formula: \(fusion.formula.rawValue)
              #   terms:
            \(terms.joined(separator: "\n"))
              # Places of a page for new items that were shown too seldom yet, where ranking gives them none.
              new_item_places: \(funnel.newItemPlaces)
              # Candidates that ranking rejected, for training: so many of each page, in DIRECTORY/nodes/orchestrator-N/rejected.csv.
              # rejected_log: {per_page: \(rejected.perPage), megabytes: \(rejected.megabytes)}

            # A caller's own deadline, when shorter, holds.
            deadlines:
              request_ms: \(deadlines.request)
              recall_ms: \(deadlines.recall)
              rank_ms: \(deadlines.rank)

            """
    }
}
