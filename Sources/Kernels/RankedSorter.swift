/// Sorts candidates of a request, and keeps its memory for the next one.
public struct RankedSorter: Sendable {
    private var spare: [Ranked] = []
    /// How many values have each digit, then where the next of them goes; `[digits, radix]`.
    private var places: [UInt32] = []

    /// Bits of a digit of the score; the last one has a bit to spare.
    private static let width = 11
    private static let radix = 1 << width
    private static let digits = 3
    /// Below this, comparing costs less than counting digits.
    private static let few = 256

    public init() {}

    /// Sorts best first, values of one score by ascending position.
    ///
    /// - Precondition: Positions ascend.
    /// - Complexity: O(n), by digits from the least significant (Knuth, TAOCP 5.2.5, algorithm R). Nothing is allocated once
    ///   the memory is there.
    public mutating func sort(_ values: inout [Ranked]) {
        let count = values.count
        guard count >= Self.few else {
            values.withUnsafeMutableBufferPointer { values in
                if let base = values.baseAddress { Ranked.sort(base, count: count) }
            }
            return
        }
        if spare.count < count { spare.append(contentsOf: values[spare.count...]) }
        if places.isEmpty { places = Array(repeating: 0, count: Self.digits * Self.radix) }
        values.withUnsafeMutableBufferPointer { values in
            spare.withUnsafeMutableBufferPointer { spare in
                places.withUnsafeMutableBufferPointer { places in
                    guard let first = values.baseAddress, let second = spare.baseAddress,
                        let places = places.baseAddress
                    else { return }
                    Self.count(first, count, places)
                    Self.move(first, second, count, digit: 0, places)
                    Self.move(second, first, count, digit: 1, places)
                    Self.move(first, second, count, digit: 2, places)
                    first.update(from: second, count: count)
                }
            }
        }
    }

    /// The greatest digit is 0, so that the best come first.
    @inline(__always)
    private static func digit(_ index: Int, of value: Ranked) -> Int {
        Int(truncatingIfNeeded: ~value.key >> UInt64(32 + index * width)) & (radix - 1)
    }

    private static func count(
        _ values: UnsafePointer<Ranked>, _ count: Int, _ places: UnsafeMutablePointer<UInt32>
    ) {
        places.update(repeating: 0, count: digits * radix)
        for index in 0..<count {
            for digit in 0..<digits { places[digit * radix + Self.digit(digit, of: values[index])] += 1 }
        }
        for digit in 0..<digits {
            var next: UInt32 = 0
            for place in digit * radix..<(digit + 1) * radix {
                let here = places[place]
                places[place] = next
                next += here
            }
        }
    }

    private static func move(
        _ from: UnsafePointer<Ranked>, _ to: UnsafeMutablePointer<Ranked>, _ count: Int, digit: Int,
        _ places: UnsafeMutablePointer<UInt32>
    ) {
        let own = places + digit * radix
        for index in 0..<count {
            let value = from[index]
            let digit = Self.digit(digit, of: value)
            to[Int(own[digit])] = value
            own[digit] += 1
        }
    }
}
