public import Blobs
public import Catalog
import Kernels

extension ChannelEncoderLoader {
    public static let place = ChannelEncoderLoader(name: ChannelName.place) { PlaceEncoder(catalogue: $0) }

    public static let city = ChannelEncoderLoader(name: ChannelName.city, component: CityEncoder.component) { file, _ in
        try CityEncoder(file)
    }
}

/// The cell where the user is and its neighbours: keys of the `place` channel, all of weight 1.
///
/// Where he is, he says in the request, or said in one before; else he is where the newest item is that he touched and
/// that has a place.
struct PlaceEncoder: ChannelEncoder {
    /// Characters of a cell's Geohash: 5 make cells of 4.9 km, and with the neighbours a square of 15 km.
    static let precision = 5

    let catalogue: ChannelEncoderLoader.Catalogue

    func input(for user: RecallUser) -> ChannelInput {
        guard let place = user.place ?? lastTouched(user) else { return ChannelInput() }
        let cell = GeoHash(place, precision: Self.precision)
        let keys = ([cell] + cell.neighbours).map(\.key)
        return ChannelInput(keys: SharedBuffer(keys), weights: SharedBuffer(keys.map { _ in 1 }))
    }

    private func lastTouched(_ user: RecallUser) -> Place? {
        for touch in user.state.recent.reversed() {
            let row = catalogue.index.row(of: touch.item)
            if let place = row.map(catalogue.items.place) ?? user.liveItems[touch.item]?.place { return place }
        }
        return nil
    }
}

/// The user's city: the key of the `city` channel. He says it in the request, or it is the field `city` of his profile.
public struct CityEncoder: ChannelEncoder {
    /// `profile_field` U32 `[1]`, the field's place in profiles or 2^32 - 1; `city_key` U64 `[v]` by its values, 0 for
    /// the unknown one.
    public static let component = "user-cities"
    private static let none = UInt32.max

    private let field: Int?
    private let cities: SharedBuffer<UInt64>

    init(_ file: SafetensorsFile) throws(BlobError) {
        let field = try file.buffer("profile_field", as: UInt32.self, shape: [1])[0]
        self.field = field == Self.none ? nil : Int(field)
        cities = try file.buffer("city_key", as: UInt64.self, shape: [nil])
    }

    /// The component of a data set's users.
    public static func component(of users: UserTable) -> SafetensorsWriter {
        let field = users.fields.firstIndex { $0.name == "city" }
        let names = field.map { users.fields[$0].vocabulary } ?? StringTable([""])
        var writer = SafetensorsWriter()
        writer.add("profile_field", [field.map { UInt32($0) } ?? none])
        writer.add("city_key", (0..<names.count).map { names[$0].isEmpty ? 0 : PublicID.key(of: names[$0]) })
        return writer
    }

    public func input(for user: RecallUser) -> ChannelInput {
        let city = user.city != 0 ? user.city : profileCity(user.state)
        return city == 0 ? ChannelInput() : ChannelInput(keys: [city], weights: [1])
    }

    private func profileCity(_ state: UserState) -> UInt64 {
        guard let field, field < state.profile.count, state.profile[field] < cities.count else { return 0 }
        return cities[Int(state.profile[field])]
    }
}
