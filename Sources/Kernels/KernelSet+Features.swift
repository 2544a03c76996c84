import CKernels

/// One counter of one window of many things, each counted in the window's current slot and in the one before it.
public struct WindowCounts {
    /// The current slot's count of thing i at `i * valuesRow`, the previous one's `previous` after it.
    public var values: UnsafePointer<Float>
    public var valuesRow: Int
    public var previous: Int
    /// The number of thing i's current slot at `i * slotsRow`.
    public var slots: UnsafePointer<Int32>
    public var slotsRow: Int
    /// The slot of the moment that is asked about.
    public var slot: Int32
    /// What of the slot before it lies in the window, 0...1.
    public var previousShare: Float
    /// What of a thing's current slot does, when that is the slot before the moment's.
    public var currentShare: Float

    public init(
        values: UnsafePointer<Float>, valuesRow: Int, previous: Int, slots: UnsafePointer<Int32>, slotsRow: Int,
        slot: Int32, previousShare: Float, currentShare: Float
    ) {
        self.values = values
        self.valuesRow = valuesRow
        self.previous = previous
        self.slots = slots
        self.slotsRow = slotsRow
        self.slot = slot
        self.previousShare = previousShare
        self.currentShare = currentShare
    }
}

extension KernelSet {
    /// y = log(1 + x) for x > -1, NaN for others; y may be x. An element comes to the same whatever the count.
    public func logPlusOne(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int) {
        table.pointee.log_plus_one(x, y, count)
    }

    /// odds = log((successes + a) / (max(trials - successes, 0) + b)) - base, NaN without trials; odds may be either input.
    public func logOdds(
        successes: UnsafePointer<Float>, trials: UnsafePointer<Float>, a: Float, b: Float, base: Float,
        _ odds: UnsafeMutablePointer<Float>, count: Int
    ) {
        table.pointee.log_odds(successes, trials, a, b, base, odds, count)
    }

    /// What a window has of each entity.
    ///
    /// - Parameters:
    ///   - entities: `[count]`; below 0 there is none, and `unknown` is written.
    ///   - counts: `[count]`, overwritten.
    public func windowedCounts(
        _ window: WindowCounts, _ entities: UnsafePointer<Int32>, unknown: Float,
        _ counts: UnsafeMutablePointer<Float>, count: Int
    ) {
        var window = ck_window(
            values: window.values, values_row: window.valuesRow, previous: window.previous, slots: window.slots,
            slots_row: window.slotsRow, slot: window.slot, previous_share: window.previousShare,
            current_share: window.currentShare)
        table.pointee.windowed_counts(&window, entities, count, unknown, counts)
    }

    /// y = (x - mean) / deviation within -limit...limit, 0 for NaN.
    ///
    /// - Parameter stride: floats from one y to the next.
    public func standardise(
        _ x: UnsafePointer<Float>, mean: Float, deviation: Float, limit: Float, _ y: UnsafeMutablePointer<Float>,
        stride: Int, count: Int
    ) {
        table.pointee.standardise(x, mean, deviation, limit, y, stride, count)
    }
}
