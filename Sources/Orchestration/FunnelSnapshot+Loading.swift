import Blobs
import Catalog
import FeatureStore
import Kernels
import Models
public import Snapshots

extension FunnelSnapshot {
    /// Kinds of components that an orchestrator loads.
    public static let componentKinds: Set<String> = ["catalog", UserStateTable.componentKind, "two-tower"]

    public init(_ snapshot: OpenSnapshot) throws {
        let catalog = try snapshot.component("catalog")
        let items = try ItemTable(catalog)
        let index = KeyIndex(items.keys)
        let net = try TwoTowerUserNet(try snapshot.component("two-tower"), items: items, itemIndex: index)
        let surfaces = try catalog.strings("surface")
        self.init(
            version: snapshot.version, dataUntil: snapshot.manifest.dataUntilMilliseconds, items: items,
            surfaceNames: StringTable(bytes: surfaces.bytes, offsets: surfaces.offsets),
            users: try UserStateTable(try snapshot.component(UserStateTable.componentKind)),
            userVector: { net.vector(of: $0) }, itemIndex: index)
    }
}
