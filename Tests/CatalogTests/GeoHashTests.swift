import Catalog
import Testing

/// Expected strings by python-geohash 0.8.5.
@Suite struct GeoHashTests {
    @Test(
        arguments: [
            (42.6, -5.6, "ezs42"), (57.64911, 10.40744, "u4pruydqqvj"), (-25.382708, -49.265506, "6gkzwgjz"),
            (0, 0, "s00000"), (90, 180, "bpbpb"), (-90, -180, "0000"), (37.7749, -122.4194, "9"),
            (48.8583, 2.2945, "u09tunqu1xpp"),
        ] as [(Double, Double, String)])
    func placesAreNamed(latitude: Double, longitude: Double, text: String) throws {
        let place = try #require(Place(latitude: latitude, longitude: longitude))
        #expect(GeoHash(place, precision: text.count).text == text)
    }

    @Test(
        arguments: [
            (42.6, -5.6, ["ezefp", "ezefr", "ezefx", "ezs40", "ezs41", "ezs43", "ezs48", "ezs49"]),
            (
                57.64911, 10.40744,
                [
                    "u4pruydqquu", "u4pruydqquv", "u4pruydqquy", "u4pruydqqvh", "u4pruydqqvk", "u4pruydqqvm",
                    "u4pruydqqvn", "u4pruydqqvq",
                ]
            ),
            // Across the antimeridian, and from the equator to the south.
            (0.01, 179.99, ["2pbpb", "80000", "80002", "rzzzy", "rzzzz", "xbpbn", "xbpbq", "xbpbr"]),
            // At the pole there is no row beyond.
            (90, 0, ["gzzzx", "gzzzz", "upbp8", "upbp9", "upbpc"]),
        ] as [(Double, Double, [String])])
    func neighboursTouchTheCell(latitude: Double, longitude: Double, expected: [String]) throws {
        let place = try #require(Place(latitude: latitude, longitude: longitude))
        let precision = expected[0].count
        #expect(GeoHash(place, precision: precision).neighbours.map(\.text).sorted() == expected)
    }

    @Test func keysTellCellsApart() throws {
        let place = try #require(Place(latitude: 42.6, longitude: -5.6))
        // "ezs42" is 13, 31, 24, 4, 2 in 5 bits each, after a leading 1.
        #expect(GeoHash(place, precision: 5).key == 1 << 25 | 13 << 20 | 31 << 15 | 24 << 10 | 4 << 5 | 2)
        #expect(Set((1...12).map { GeoHash(place, precision: $0).key }).count == 12)
    }

    @Test(
        arguments: [(90.1, 0), (-90.1, 0), (0, 180.1), (0, -181), (.nan, 0), (0, .infinity)] as [(Double, Double)])
    func placesOffTheEarthAreNone(latitude: Double, longitude: Double) {
        #expect(Place(latitude: latitude, longitude: longitude) == nil)
    }
}
