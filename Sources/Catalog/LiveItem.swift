/// An item that came after the snapshot, with all that is known of it.
public struct LiveItem: Hashable, Sendable {
    public let key: ItemKey
    public var publicID: String
    public var title: String
    public var category: String
    /// Keys of the author and of the city's name; 0 is unknown.
    public var author: UInt64
    public var city: UInt64
    /// Milliseconds since 1970.
    public var publishMilliseconds: Int64
    /// 0 is unknown.
    public var durationSeconds: Float
    public var place: Place?
    /// 0...1; nil is unknown.
    public var quality: Float?
    /// In the shop's own currency, 0...``ItemTable/priceMax``; nil is unknown.
    public var price: Float?

    public init(
        publicID: String, title: String = "", category: String = "", author: UInt64 = 0, city: UInt64 = 0,
        publishMilliseconds: Int64, durationSeconds: Float = 0, place: Place? = nil, quality: Float? = nil,
        price: Float? = nil
    ) {
        key = ItemKey(publicID: publicID)
        self.publicID = publicID
        self.title = title
        self.category = category
        self.author = author
        self.city = city
        self.publishMilliseconds = publishMilliseconds
        self.durationSeconds = durationSeconds
        self.place = place
        self.quality = quality
        self.price = price
    }
}
