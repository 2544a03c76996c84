/// Which components of a snapshot a process loads.
public struct ComponentFilter: Sendable, Hashable {
    /// Kinds it loads; every one of them must be in the snapshot.
    public var kinds: Set<String>
    /// Kinds it loads as well from a snapshot that has them.
    public var optionalKinds: Set<String>
    /// Its own shard, for kinds that are split; nil for a process that serves no shard.
    public var shard: Int?

    public init(kinds: Set<String>, optional optionalKinds: Set<String> = [], shard: Int? = nil) {
        self.kinds = kinds
        self.optionalKinds = optionalKinds
        self.shard = shard
    }

    /// The filter's components of a snapshot.
    ///
    /// A kind that is split and has no part for this shard is missing; a part of another shard is not wanted.
    func select(_ manifest: SnapshotManifest) throws(SnapshotError) -> [SnapshotComponent] {
        if let shard, shard >= manifest.shards {
            throw SnapshotError(
                .conflict,
                "snapshot \(manifest.version) is split over \(manifest.shards) shards; this process serves shard \(shard)"
            )
        }
        let selected = manifest.components.filter {
            (kinds.contains($0.kind) || optionalKinds.contains($0.kind)) && ($0.shard == nil || $0.shard == shard)
        }
        for kind in kinds.sorted() where !selected.contains(where: { $0.kind == kind }) {
            throw SnapshotError(
                .missing,
                "snapshot \(manifest.version) has no component \(kind)" + (shard.map { " for shard \($0)" } ?? "")
                    + "; it has \(manifest.components.map(\.name).joined(separator: ", "))")
        }
        return selected
    }
}
