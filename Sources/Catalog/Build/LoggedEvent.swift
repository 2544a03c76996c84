/// One row of a log: a showing, an action, or both at once.
package struct LoggedEvent: BitwiseCopyable, Sendable, Hashable {
    /// Milliseconds since 1970.
    package var time: Int64
    /// Rows in the builder's tables, in order of first appearance.
    package var user: UInt32
    package var item: UInt32
    package var watchSeconds: Float
    package var surface: UInt16
    package var actions: Actions
    /// Its place in the log as it was read, which the builder gives it.
    var origin: UInt32 = 0

    package init(
        user: UInt32, item: UInt32, time: Int64, actions: Actions, watchSeconds: Float = 0, surface: UInt16 = 0
    ) {
        self.time = time
        self.user = user
        self.item = item
        self.watchSeconds = watchSeconds
        self.surface = surface
        self.actions = actions
    }
}

/// Puts events in order of time: a stable radix sort, since logs are large and times are numbers.
enum TimeOrder {
    private static let digitBits = 11

    /// Sorts `events` by time; equal times keep their order.
    ///
    /// - Complexity: O(n) when they are in order already, else O(n * ceil(bits of the time span / 11)).
    static func sort(_ events: inout [LoggedEvent]) {
        guard let first = events.first else { return }
        var low = first.time
        var high = first.time
        var previous = first.time
        var isSorted = true
        for event in events {
            isSorted = isSorted && previous <= event.time
            previous = event.time
            low = min(low, event.time)
            high = max(high, event.time)
        }
        guard !isSorted else { return }
        let span = UInt64(bitPattern: high &- low)
        var scratch = events
        var shift = 0
        while shift < 64, span >> UInt64(shift) != 0 {
            pass(from: events, to: &scratch, low: low, shift: UInt64(shift))
            swap(&events, &scratch)
            shift += digitBits
        }
    }

    /// One counting pass on the digit at `shift` of `time - low`.
    private static func pass(from source: [LoggedEvent], to target: inout [LoggedEvent], low: Int64, shift: UInt64) {
        let mask = (UInt64(1) << UInt64(digitBits)) - 1
        var places = [Int](repeating: 0, count: 1 << digitBits)
        for event in source { places[Int((UInt64(bitPattern: event.time &- low) >> shift) & mask)] += 1 }
        var next = 0
        for digit in places.indices {
            (places[digit], next) = (next, next + places[digit])
        }
        for event in source {
            let digit = Int((UInt64(bitPattern: event.time &- low) >> shift) & mask)
            target[places[digit]] = event
            places[digit] += 1
        }
    }
}
