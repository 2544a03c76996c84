public import Catalog
import Kernels

/// Counts of many things in sliding windows, a fixed number of floats for each.
///
/// Of every window two slots of its length are kept, the current one and the one before it. What is counted of the last W
/// milliseconds at a moment is `current + previous (1 - passed share of the current slot)`: exact when the previous slot's
/// events came evenly, and never off by more than that slot's events. Time goes on by itself: reading needs no expiry
/// to have run, and the same numbers come out however often a table was read or stored.
public struct WindowedTable: Sendable {
    public let entities: Int
    public let windows: [StatisticsWindow]
    public let counters: [Counter]
    /// `[entities, windows, 2, counters]`: current slot, previous slot.
    public private(set) var values: [Float]
    /// `[entities, windows]`: number of the current slot, counted from 1970.
    public private(set) var slots: [Int32]

    public init(entities: Int, windows: [StatisticsWindow], counters: [Counter]) {
        self.init(
            entities: entities, windows: windows, counters: counters,
            values: Array(repeating: 0, count: entities * windows.count * 2 * counters.count),
            slots: Array(repeating: 0, count: entities * windows.count))
    }

    /// A table that was stored.
    ///
    /// - Precondition: the shapes fit.
    public init(
        entities: Int, windows: [StatisticsWindow], counters: [Counter], values: [Float], slots: [Int32]
    ) {
        precondition(
            values.count == entities * windows.count * 2 * counters.count && slots.count == entities * windows.count,
            "\(values.count) values, \(slots.count) slots")
        self.entities = entities
        self.windows = windows
        self.counters = counters
        self.values = values
        self.slots = slots
    }

    /// Counts what happened to one thing.
    ///
    /// What is older than the previous slot of a window is not counted in it.
    ///
    /// - Complexity: O(windows * counters).
    public mutating func add(_ entity: Int, _ actions: Actions, watchSeconds: Float, at milliseconds: Int64) {
        for (place, window) in windows.enumerated() {
            let slot = Self.slot(milliseconds, window)
            let index = entity * windows.count + place
            let base = index * 2 * counters.count
            let ahead = Int(slot) - Int(slots[index])
            if ahead > 0 { advance(base, by: ahead) }
            if ahead > 0 { slots[index] = slot }
            guard ahead >= -1 else { continue }
            let start = base + (ahead == -1 ? counters.count : 0)
            for (offset, counter) in counters.enumerated() {
                if let action = counter.action {
                    values[start + offset] += actions.contains(action) ? 1 : 0
                } else {
                    values[start + offset] += watchSeconds
                }
            }
        }
    }

    private mutating func advance(_ base: Int, by slots: Int) {
        for offset in base..<base + counters.count {
            values[offset + counters.count] = slots == 1 ? values[offset] : 0
            values[offset] = 0
        }
    }

    /// What is counted in the window that ends at a moment.
    ///
    /// - Parameters:
    ///   - window, counter: places among ``windows`` and ``counters``.
    /// - Complexity: O(1).
    public func count(_ entity: Int, window: Int, counter: Int, at milliseconds: Int64) -> Float {
        let index = entity * windows.count + window
        let start = index * 2 * counters.count + counter
        guard let length = windows[window].milliseconds else { return values[start] }
        let slot = Int64(slots[index])
        let passed = milliseconds &- slot &* length
        // A moment before the current slot, of a request with an older clock, counts as its beginning.
        if passed <= 0 { return values[start] + values[start + counters.count] }
        if passed < length {
            return values[start] + values[start + counters.count] * (1 - Float(passed) / Float(length))
        }
        return passed < 2 * length ? values[start] * (2 - Float(passed) / Float(length)) : 0
    }

    /// What is counted of many things in the window that ends at a moment, as ``count(_:window:counter:at:)`` says.
    ///
    /// - Parameters:
    ///   - entities: `[counts.count]`; those below 0 have 0.
    ///   - counts: overwritten.
    func counts(
        _ entities: [Int32], window: Int, counter: Int, at milliseconds: Int64,
        into counts: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(entities.count == counts.count, "a count per entity")
        guard let target = counts.baseAddress, self.entities > 0 else { return counts.update(repeating: 0) }
        values.withUnsafeBufferPointer { values in
            slots.withUnsafeBufferPointer { slots in
                guard let values = values.baseAddress, let slots = slots.baseAddress else { return }
                kernels.windowedCounts(
                    read(values, slots, window: window, counter: counter, at: milliseconds), entities, unknown: 0,
                    target, count: counts.count)
            }
        }
    }

    private func read(
        _ values: UnsafePointer<Float>, _ slots: UnsafePointer<Int32>, window: Int, counter: Int,
        at milliseconds: Int64
    ) -> WindowCounts {
        var result = WindowCounts(
            values: values + window * 2 * counters.count + counter, valuesRow: windows.count * 2 * counters.count,
            previous: counters.count, slots: slots + window, slotsRow: windows.count, slot: 0, previousShare: 0,
            currentShare: 0)
        guard let length = windows[window].milliseconds else { return result }
        result.slot = Self.slot(milliseconds, windows[window])
        let passed = Float(milliseconds - Int64(result.slot) * length)
        result.previousShare = 1 - passed / Float(length)
        result.currentShare = 2 - (Float(length) + passed) / Float(length)
        return result
    }

    private static func slot(_ milliseconds: Int64, _ window: StatisticsWindow) -> Int32 {
        guard let length = window.milliseconds else { return 0 }
        return Int32(clamping: milliseconds >= 0 ? milliseconds / length : (milliseconds &+ 1) / length - 1)
    }
}
