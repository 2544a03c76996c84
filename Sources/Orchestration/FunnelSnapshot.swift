public import Catalog
public import FeatureStore
public import Recall

/// What the orchestrator needs of one snapshot: items for the page, user states, and the user's side of every channel.
public struct FunnelSnapshot: Sendable {
    public let version: String
    /// End of the training log, milliseconds since 1970.
    public let dataUntil: Int64
    public let items: ItemTable
    public let users: UserStateTable
    let encoders: ChannelEncoders
    private let itemIndex: KeyIndex
    private let surfaces: [String: UInt16]
    let contexts: ContextIndex

    /// - Parameters:
    ///   - surfaceNames: row 0 is the unknown surface.
    ///   - contexts: the data set's context fields; only their names and vocabularies are read.
    public init(
        version: String, dataUntil: Int64, items: ItemTable, surfaceNames: StringTable,
        contexts: [CategoricalField] = [], users: UserStateTable, encoders: ChannelEncoders = ChannelEncoders(),
        itemIndex: KeyIndex? = nil
    ) {
        self.version = version
        self.dataUntil = dataUntil
        self.items = items
        self.users = users
        self.encoders = encoders
        self.contexts = ContextIndex(contexts)
        self.itemIndex = itemIndex ?? KeyIndex(items.keys)
        var surfaces: [String: UInt16] = [:]
        for row in 1..<max(surfaceNames.count, 1) { surfaces[surfaceNames[row]] = UInt16(clamping: row) }
        self.surfaces = surfaces
    }

    /// The item's row in `items`.
    func row(of item: ItemKey) -> Int? { itemIndex.row(of: item) }

    /// Index of a surface; 0, unknown, for one that the training log does not have.
    func surface(named name: String) -> UInt16 { surfaces[name] ?? 0 }
}
