public import Catalog
public import Kernels

/// A user's last-n as the item-based channels take it: each item once, newest first, with like(u, i).
public struct Triggers: Sendable {
    public let items: SharedBuffer<ItemKey>
    /// like(u, i) of all the user did with the item within his last-n; 0 for an item only finished or commented on.
    public let weights: SharedBuffer<Float>

    /// - Complexity: O(last-n).
    public init(_ state: UserState) {
        var items: [ItemKey] = []
        var actions: [Actions] = []
        var places: [ItemKey: Int] = [:]
        for interaction in state.recent.reversed() {
            if let place = places[interaction.item] {
                actions[place].formUnion(interaction.actions)
            } else {
                places[interaction.item] = items.count
                items.append(interaction.item)
                actions.append(interaction.actions)
            }
        }
        self.items = SharedBuffer(items)
        weights = SharedBuffer(actions.map(\.interest))
    }
}
