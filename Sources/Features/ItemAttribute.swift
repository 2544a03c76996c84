/// What is known of an item, one by one: what self-supervised learning hides.
public enum ItemAttribute: UInt16, CaseIterable, Hashable, Sendable {
    case item
    case category
    case author
    case city
    case tags
    case duration
    case age
    case quality
}

/// Any of an item's attributes.
public struct ItemAttributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    public init(_ attribute: ItemAttribute) {
        rawValue = 1 << attribute.rawValue
    }

    public init(_ attributes: some Sequence<ItemAttribute>) {
        self = attributes.reduce(into: []) { $0.formUnion(ItemAttributes($1)) }
    }

    public func contains(_ attribute: ItemAttribute) -> Bool { contains(ItemAttributes(attribute)) }
}
