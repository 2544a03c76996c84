import Catalog
public import Models
public import Ranking
public import Snapshots

extension Ranker {
    /// Kinds of components that a ranker needs, as far as a snapshot has them.
    public static let componentKinds: Set<String> = ["catalog", "prerank"]

    /// - Parameter fusion: what the ranking model's predictions become.
    public convenience init(_ snapshot: OpenSnapshot, fusion: FusionSpecification) throws {
        let items = try ItemTable(try snapshot.component("catalog"))
        try self.init(try PreRanker(try snapshot.component("prerank"), items: items), fusion: fusion)
    }
}
