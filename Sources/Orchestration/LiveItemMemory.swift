import Catalog
import Synchronization

/// Attributes of live items that shards told of lately, so that what a user did with one is understood on his next request:
/// the catalogue does not have it. A cache: what is missing is missed, not wrong.
final class LiveItemMemory: Sendable {
    /// Items remembered in each of two halves; when the newer is full it becomes the older. Twice a shard's live segment.
    private static let halfMax = 20_000

    private struct Halves {
        var newer: [ItemKey: Catalog.LiveItem] = [:]
        var older: [ItemKey: Catalog.LiveItem] = [:]
    }

    private let halves = Mutex(Halves())

    /// - Complexity: O(items).
    func remember(_ items: [ItemKey: Catalog.LiveItem]) {
        guard !items.isEmpty else { return }
        halves.withLock { halves in
            for (key, item) in items { halves.newer[key] = item }
            if halves.newer.count > Self.halfMax { halves = Halves(newer: [:], older: halves.newer) }
        }
    }

    subscript(item: ItemKey) -> LiveItem? {
        halves.withLock { $0.newer[item] ?? $0.older[item] }
    }
}
