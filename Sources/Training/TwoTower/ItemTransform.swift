public import Features
public import Kernels
public import Models
import Networks

/// Two views of the same items, each hiding something at random (Yao et al., CIKM 2021).
public struct ItemTransform: Sendable {
    private let kind: ItemTransformKind
    private let attributes: [ItemAttribute]
    /// Per attribute, the others, the most related first.
    private let related: [[Int]]

    /// - Parameters:
    ///   - attributes: What the tower reads, at least two.
    ///   - information: For the transform of that name.
    public init(_ kind: ItemTransformKind, attributes: [ItemAttribute], information: MutualInformation?) {
        self.kind = kind
        self.attributes = attributes
        related = information.map { information in attributes.indices.map { information.related(to: $0) } } ?? []
    }

    public func views(
        of items: ItemInputs, using generator: inout SeededGenerator
    ) -> (first: ItemInputs, second: ItemInputs) {
        var hidden: (first: [ItemAttributes], second: [ItemAttributes]) = ([], [])
        for _ in 0..<items.count {
            let (first, second) = masks(&generator)
            hidden.first.append(first)
            hidden.second.append(second)
        }
        return (view(items, hidden.first, &generator), view(items, hidden.second, &generator))
    }

    /// What the two views of one item hide.
    private func masks(_ generator: inout SeededGenerator) -> (ItemAttributes, ItemAttributes) {
        switch kind {
        case .randomMask: return (randomMask(&generator), randomMask(&generator))
        case .dropout: return ([], [])
        case .complementary:
            let half = ItemAttributes(attributes.shuffled(using: &generator).prefix(attributes.count / 2))
            return (half, ItemAttributes(attributes).subtracting(half))
        case .mutualInformation: return (relatedMask(&generator), relatedMask(&generator))
        }
    }

    /// Each attribute with probability 1/2, but not all.
    private func randomMask(_ generator: inout SeededGenerator) -> ItemAttributes {
        let hidden = ItemAttributes(attributes.filter { _ in generator.uniform() < 0.5 })
        guard hidden == ItemAttributes(attributes) else { return hidden }
        return hidden.subtracting(ItemAttributes(attributes[Int.random(in: attributes.indices, using: &generator)]))
    }

    /// One attribute at random and the half of all that is most related to it, but not all.
    private func relatedMask(_ generator: inout SeededGenerator) -> ItemAttributes {
        let seed = Int.random(in: attributes.indices, using: &generator)
        let count = max(0, min(attributes.count / 2, attributes.count - 2))
        return ItemAttributes([attributes[seed]] + related[seed].prefix(count).map { attributes[$0] })
    }

    private func view(
        _ items: ItemInputs, _ hidden: [ItemAttributes], _ generator: inout SeededGenerator
    ) -> ItemInputs {
        guard kind == .dropout else { return items.hiding(hidden) }
        let dropped = (0..<items.count).map { row in
            let count = items.tags.offsets[row + 1] - items.tags.offsets[row]
            return Set((0..<count).shuffled(using: &generator).prefix(count / 2))
        }
        return items.hiding(hidden, keepingTags: { !dropped[$0].contains($1) })
    }
}
