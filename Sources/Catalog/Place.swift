/// A point on the earth, in degrees (WGS 84).
public struct Place: Hashable, Sendable {
    /// -90...90, north is positive.
    public let latitude: Double
    /// -180...180, east is positive.
    public let longitude: Double

    /// Nil beyond the ranges, and for what is no number.
    public init?(latitude: Double, longitude: Double) {
        guard (-90...90).contains(latitude), (-180...180).contains(longitude) else { return nil }
        self.latitude = latitude
        self.longitude = longitude
    }

    /// Its cell as features tell it: a Geohash of five characters, about five kilometres wide.
    public var cell: GeoHash { GeoHash(self, precision: 5) }
}

/// A rectangle of the grid that Geohash strings name (Niemeyer, 2008; as in geohash.org): a string of `precision`
/// characters stands for 5 bits each, taken in turn from the bisection of longitude and of latitude, longitude first.
public struct GeoHash: Hashable, Sendable {
    /// Characters: 1...12.
    public let precision: Int
    /// Columns from 180 degrees west, rows from the south pole.
    private let column: UInt64
    private let row: UInt64

    private static let alphabet = Array("0123456789bcdefghjkmnpqrstuvwxyz")

    private var columnBits: Int { (5 * precision + 1) / 2 }
    private var rowBits: Int { 5 * precision / 2 }

    /// The cell that holds a place.
    public init(_ place: Place, precision: Int) {
        precondition((1...12).contains(precision), "a geohash has 1 to 12 characters")
        func index(_ share: Double, _ bits: Int) -> UInt64 {
            let cells = Double(UInt64(1) << UInt64(bits))
            return min(UInt64(share * cells), UInt64(cells) - 1)
        }
        self.init(
            precision: precision,
            // 180 degrees east are 180 degrees west.
            column: place.longitude == 180 ? 0 : index((place.longitude + 180) / 360, (5 * precision + 1) / 2),
            row: index((place.latitude + 90) / 180, 5 * precision / 2))
    }

    private init(precision: Int, column: UInt64, row: UInt64) {
        self.precision = precision
        self.column = column
        self.row = row
    }

    /// The bits of both coordinates, below 2^(5 precision).
    private var bits: UInt64 {
        var (bits, columnsLeft, rowsLeft) = (UInt64(0), columnBits, rowBits)
        while columnsLeft + rowsLeft > 0 {
            if columnsLeft > rowsLeft || (columnsLeft == rowsLeft && rowBits == columnBits) {
                columnsLeft -= 1
                bits = bits << 1 | (column >> UInt64(columnsLeft) & 1)
            } else {
                rowsLeft -= 1
                bits = bits << 1 | (row >> UInt64(rowsLeft) & 1)
            }
        }
        return bits
    }

    /// The cell as a key: a 1 and then its bits, so that cells of different precision have different keys.
    public var key: UInt64 { 1 << UInt64(5 * precision) | bits }

    /// The Geohash string.
    public var text: String {
        let bits = bits
        return String((0..<precision).reversed().map { Self.alphabet[Int(bits >> UInt64(5 * $0) & 31)] })
    }

    /// The cells that touch this one: eight, five at a pole. Columns go around the earth.
    public var neighbours: [GeoHash] {
        let columns = UInt64(1) << UInt64(columnBits)
        let rows = UInt64(1) << UInt64(rowBits)
        var cells: [GeoHash] = []
        for down in -1...1 {
            let row = Int64(self.row) + Int64(down)
            guard row >= 0, row < Int64(rows) else { continue }
            for right in -1...1 where (right, down) != (0, 0) {
                let column = (self.column &+ columns &+ UInt64(bitPattern: Int64(right))) % columns
                cells.append(GeoHash(precision: precision, column: column, row: UInt64(row)))
            }
        }
        return cells
    }
}
