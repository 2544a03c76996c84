import Hashing

/// The 64-bit identity of an item inside the cluster.
///
/// A public id that is a canonical decimal number below 2^64 is its own key; any other is hashed with XXH3-64.
/// The trainer refuses a data set in which two public ids share a key.
public struct ItemKey: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init(publicID: some StringProtocol) {
        rawValue = PublicID.key(of: publicID)
    }

    public static func < (left: ItemKey, right: ItemKey) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The recall shard, of `count`, that owns the item.
    public func shard(of count: Int) -> Int {
        Int(PublicID.mixed(rawValue) % UInt64(count))
    }
}

/// The 64-bit identity of a user inside the cluster; made from the public id as ``ItemKey`` is.
public struct UserKey: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init(publicID: some StringProtocol) {
        rawValue = PublicID.key(of: publicID)
    }

    public static func < (left: UserKey, right: UserKey) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// How public string ids become keys.
package enum PublicID {
    package static func key(of id: some StringProtocol) -> UInt64 {
        var copy = String(id)
        return copy.withUTF8 { key(ofUTF8: UnsafeRawBufferPointer($0)) }
    }

    package static func key(ofUTF8 bytes: UnsafeRawBufferPointer) -> UInt64 {
        decimal(bytes) ?? XXH3.hash(bytes)
    }

    /// The value of a canonical decimal number: no sign, no leading zero, below 2^64; nil for anything else.
    package static func decimal(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard (1...20).contains(bytes.count) else { return nil }
        if bytes[0] == UInt8(ascii: "0") { return bytes.count == 1 ? 0 : nil }
        var value: UInt64 = 0
        for byte in bytes {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            guard !overflowed, !carried else { return nil }
            value = sum
        }
        return value
    }

    /// SplitMix64's finaliser (Steele, Lea, Flood 2014): numeric ids come in runs, shards must not.
    package static func mixed(_ key: UInt64) -> UInt64 {
        var z = key &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
