import Messages

/// What was asked of the cluster and what it answered, collected while a request runs.
struct CompletenessNotes: Sendable {
    var shardsAsked = 0
    var shardsAnswered = 0
    var order = Order.recalled
    private var missing: [String] = []
    private var reasons: [String] = []

    /// Channels that some shard did not contribute to.
    mutating func miss(channels: [String], because reason: String) {
        for channel in channels where !missing.contains(channel) { missing.append(channel) }
        note(reason)
    }

    /// Shards often fail for one and the same reason: it is said once.
    mutating func note(_ reason: String) {
        if !reasons.contains(reason) { reasons.append(reason) }
    }

    var message: Completeness {
        Completeness(
            shardsAsked: UInt32(shardsAsked), shardsAnswered: UInt32(shardsAnswered),
            missingChannels: missing.sorted(), order: order, reasons: reasons)
    }
}
