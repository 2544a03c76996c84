public import Blobs
public import Catalog
import Models

/// The user's side of a channel: what the orchestrator computes of him once per request for all shards.
///
/// A channel that needs nothing but the last-n has none. Immutable; any number of requests may run at once.
public protocol ChannelEncoder: Sendable {
    /// What the channel is told of the user; an empty input when nothing is known that it could use.
    func input(for user: RecallUser) -> ChannelInput
}

/// Who asks for candidates, when and where.
public struct RecallUser: Sendable {
    /// Profile and last-n, live events included.
    public var state: UserState
    /// Milliseconds since 1970.
    public var timeMilliseconds: Int64
    /// Where he is, or was when he last said so.
    public var place: Place?
    /// Key of the city he says he is in; 0 when he does not.
    public var city: UInt64
    /// Live items among his last-n, as far as they are known: the catalogue does not have them.
    public var liveItems: [ItemKey: LiveItem]

    public init(
        state: UserState, timeMilliseconds: Int64, place: Place? = nil, city: UInt64 = 0,
        liveItems: [ItemKey: LiveItem] = [:]
    ) {
        self.liveItems = liveItems
        self.state = state
        self.timeMilliseconds = timeMilliseconds
        self.place = place
        self.city = city
    }
}

/// How the orchestrator gets one channel's encoder out of a snapshot.
public struct ChannelEncoderLoader: Sendable {
    /// The channel.
    public var name: String
    /// Kind of the component, one per cluster, that the encoder is loaded from; nil: the catalogue is all it needs.
    public var component: String?
    let load: @Sendable (SafetensorsFile?, Catalogue) throws -> any ChannelEncoder

    /// The items of the snapshot that an encoder belongs to.
    public struct Catalogue: Sendable {
        public var items: ItemTable
        /// Rows of `items` by key.
        public var index: KeyIndex

        public init(items: ItemTable, index: KeyIndex? = nil) {
            self.items = items
            self.index = index ?? KeyIndex(items.keys)
        }
    }

    public init(
        name: String, component: String,
        load: @escaping @Sendable (SafetensorsFile, Catalogue) throws -> any ChannelEncoder
    ) {
        self.name = name
        self.component = component
        self.load = { file, catalogue in
            guard let file else { throw RecallError(.corrupt, "no component \"\(component)\" for channel \"\(name)\"") }
            return try load(file, catalogue)
        }
    }

    /// An encoder that reads nothing but the catalogue.
    public init(name: String, load: @escaping @Sendable (Catalogue) throws -> any ChannelEncoder) {
        self.name = name
        self.load = { try load($1) }
    }

    /// Every encoder this build knows.
    public static let all: [ChannelEncoderLoader] = [
        .twoTower, .userCF, .als, .deepRetrieval, .place, .city, .followedAuthor, .author, .similarAuthor,
        .sequence, .markov, .ease,
    ]
}

/// A user's side of every channel of one snapshot.
public struct ChannelEncoders: Sendable {
    private let encoders: [String: any ChannelEncoder]

    /// Kinds of components, one per cluster, that encoders are loaded from when the snapshot has them.
    public static let componentKinds = Set(ChannelEncoderLoader.all.compactMap(\.component))

    /// Those of them that these channels need.
    public static func componentKinds(for channels: Set<String>) -> Set<String> {
        Set(ChannelEncoderLoader.all.filter { channels.contains($0.name) }.compactMap(\.component))
    }

    public init(_ encoders: [String: any ChannelEncoder] = [:]) {
        self.encoders = encoders
    }

    /// - Parameter components: by kind; a channel without its component gets an empty input.
    /// - Throws: when a component is not what its encoder reads.
    public init(
        components: [String: SafetensorsFile], catalogue: ChannelEncoderLoader.Catalogue
    ) throws {
        var encoders: [String: any ChannelEncoder] = [:]
        for loader in ChannelEncoderLoader.all {
            let file = loader.component.flatMap { components[$0] }
            if file != nil || loader.component == nil { encoders[loader.name] = try loader.load(file, catalogue) }
        }
        self.encoders = encoders
    }

    /// The channels asked for, each with its input.
    public func requests(_ channels: [ChannelRequest], for user: RecallUser) -> [ChannelRequest] {
        channels.map { channel in
            guard let encoder = encoders[channel.channel] else { return channel }
            return ChannelRequest(channel: channel.channel, limit: channel.limit, input: encoder.input(for: user))
        }
    }
}
