public import Blobs
import Catalog
import Kernels

extension ChannelEncoderLoader {
    public static let sequence = triggers(ChannelName.sequence)
    public static let markov = triggers(ChannelName.markov)
    public static let ease = triggers(ChannelName.ease)

    private static func triggers(_ channel: String) -> ChannelEncoderLoader {
        ChannelEncoderLoader(name: channel, component: TriggerEncoder.component(of: channel)) { file, _ in
            try TriggerEncoder(component: file)
        }
    }
}

/// The user as his last-n, each item weighted by its place alone: the newest counts `weights[0]`, the one before it
/// `weights[1]`. What item-to-item channels sum by that have their own view of how much an item counts.
public struct TriggerEncoder: ChannelEncoder {
    /// `[triggers]`, each above 0.
    public let weights: [Float]

    /// Kind of the component, one per cluster.
    public static func component(of channel: String) -> String { "\(channel)-triggers" }

    public init(weights: [Float]) {
        precondition(weights.allSatisfy { $0 > 0 && $0.isFinite }, "weights above 0")
        self.weights = weights
    }

    /// - Throws: when the weights are not numbers above 0.
    public init(component file: SafetensorsFile) throws(BlobError) {
        let weights = try file.buffer("weight", as: Float.self, shape: [nil])
        if let fault = weights.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
            throw BlobError(
                .corrupt, "\(file.path): tensor \"weight\": row \(fault) is \(weights[fault]), expected above 0")
        }
        self.weights = Array(weights)
    }

    /// `weight` F32 `[triggers]`.
    public func component() -> SafetensorsWriter {
        var writer = SafetensorsWriter()
        writer.add("weight", weights)
        return writer
    }

    /// - Complexity: O(last-n).
    public func input(for user: RecallUser) -> ChannelInput {
        let triggers = Triggers(user.state)
        let count = min(triggers.items.count, weights.count)
        return ChannelInput(
            keys: SharedBuffer(triggers.items.prefix(count).map(\.rawValue)),
            weights: SharedBuffer(Array(weights.prefix(count))))
    }
}
