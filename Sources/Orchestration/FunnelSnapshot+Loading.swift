import Blobs
import Catalog
import FeatureStore
import Recall
public import Snapshots

extension FunnelSnapshot {
    /// Kinds of components that an orchestrator needs for these channels.
    public static func componentKinds(for channels: Set<String>) -> Set<String> {
        ChannelEncoders.componentKinds(for: channels).union(["catalog", UserStateTable.componentKind])
    }

    public init(_ snapshot: OpenSnapshot) throws {
        let catalog = try snapshot.component("catalog")
        let items = try ItemTable(catalog)
        let index = KeyIndex(items.keys)
        var components: [String: SafetensorsFile] = [:]
        for kind in ChannelEncoders.componentKinds where snapshot.contains(kind) {
            components[kind] = try snapshot.component(kind)
        }
        let encoders = try ChannelEncoders(components: components, catalogue: .init(items: items, index: index))
        let surfaces = try catalog.strings("surface")
        self.init(
            version: snapshot.version, dataUntil: snapshot.manifest.dataUntilMilliseconds, items: items,
            surfaceNames: StringTable(bytes: surfaces.bytes, offsets: surfaces.offsets),
            contexts: try catalog.contexts(),
            users: try UserStateTable(try snapshot.component(UserStateTable.componentKind)),
            encoders: encoders, itemIndex: index)
    }
}
