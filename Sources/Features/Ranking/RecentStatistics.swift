import Catalog

/// A user's counts over windows, in all and by category or author, among his recent touches; a hash table of fixed size that
/// is cleared for each request.
///
/// Windows are exact here: every touch has its time. What lies further back than the touches that are kept is not counted.
struct RecentStatistics: Sendable {
    static let windows = StatisticsWindow.allCases
    /// Floats of an entry: `[windows, counters]`.
    private static let width = windows.count * counters
    private static let counters = Counter.allCases.count
    /// Milliseconds of each window.
    private static let lengths = windows.map { $0.milliseconds ?? .max }
    /// Bits of actions that are counted, and what counts each.
    private static let counted = Counter.allCases.reduce(0) { $0 | ($1.action?.rawValue ?? 0) }
    private static let counterOfBit = (0..<UInt16.bitWidth).map { bit in
        Counter.allCases.first { $0.action?.rawValue == 1 << bit }?.rawValue ?? 0
    }
    /// More than twice `UserState.recentMax`, so that probes stay short.
    private static let places = 512
    private static let vacant = UInt32.max

    private var keys = [UInt32](repeating: vacant, count: places)
    private var values = [Float](repeating: 0, count: places * width)
    private var used: [Int] = []

    mutating func removeAll() {
        for place in used { keys[place] = Self.vacant }
        used.removeAll(keepingCapacity: true)
    }

    /// Counts one touch.
    ///
    /// - Parameter age: milliseconds since it.
    mutating func add(_ key: UInt32, _ touch: Interaction, age: Int64) {
        let place = place(of: key)
        let base = place * Self.width
        if keys[place] == Self.vacant {
            keys[place] = key
            used.append(place)
            for offset in base..<base + Self.width { values[offset] = 0 }
        }
        for window in Self.lengths.indices where age < Self.lengths[window] {
            let start = base + window * Self.counters
            // Few bits of a touch are set.
            var bits = touch.actions.rawValue & Self.counted
            while bits != 0 {
                values[start + Self.counterOfBit[bits.trailingZeroBitCount]] += 1
                bits &= bits - 1
            }
            values[start + Counter.watchSeconds.rawValue] += touch.watchSeconds
        }
    }

    /// - Complexity: O(1).
    func count(_ key: UInt32, window: Int, counter: Counter) -> Float {
        let place = place(of: key)
        guard keys[place] != Self.vacant else { return 0 }
        return values[place * Self.width + window * Self.counters + counter.rawValue]
    }

    /// Where a key's counts are, -1 for one that was not met.
    func entry(of key: UInt32) -> Int32 {
        let place = place(of: key)
        return keys[place] == Self.vacant ? -1 : Int32(place * Self.width)
    }

    /// What is counted of each of many entries.
    ///
    /// - Parameter entries: of ``entry(of:)``; ``none`` counts as NaN.
    func counts(
        _ entries: [Int32], window: Int, counter: Counter, into counts: UnsafeMutableBufferPointer<Float>
    ) {
        let offset = window * Self.counters + counter.rawValue
        values.withUnsafeBufferPointer { values in
            for (index, entry) in entries.enumerated() {
                counts[index] = entry >= 0 ? values[Int(entry) + offset] : entry == Self.none ? .nan : 0
            }
        }
    }

    /// Stands for a candidate of which the key is not known.
    static let none: Int32 = -2

    private func place(of key: UInt32) -> Int {
        var place = Int((key &* 0x9E37_79B1) >> 23)
        while keys[place] != key, keys[place] != Self.vacant { place = (place + 1) & (Self.places - 1) }
        return place
    }
}
