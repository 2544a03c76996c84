/// Folds a log of showings and actions into exposures.
///
/// An action joins the user's latest showing of the item if that is at most the window older, else it becomes an
/// exposure of its own, without ``Actions/impression``. The same showing, or the same action, of one user, item and
/// millisecond counts once.
struct EventFolding {
    struct Counts: Sendable, Hashable {
        /// Rows dropped because an equal row came before them.
        var duplicates = 0
        /// Actions that joined a showing.
        var joined = 0
        /// Actions whose showing the log does not hold.
        var unattached = 0
    }

    private static let none = UInt32.max

    private let windowMilliseconds: Int64
    private var counts = Counts()
    /// Per item, the latest exposure of the user at hand; it is his only if the event there says so.
    private var latest: [UInt32]
    /// Events that did not become exposures.
    private var isFolded: [Bool]

    /// Sorts `events` by time and leaves only the exposures, oldest first.
    ///
    /// - Complexity: O(n + users + items), random access over the events of each user.
    static func fold(
        _ events: inout [LoggedEvent], users: Int, items: Int, windowMilliseconds: Int64
    ) -> Counts {
        precondition(events.count < Int(Self.none), "a log holds fewer than 2^32 events")
        TimeOrder.sort(&events)
        var folding = EventFolding(
            windowMilliseconds: windowMilliseconds, latest: [UInt32](repeating: Self.none, count: items),
            isFolded: [Bool](repeating: false, count: events.count))
        folding.run(&events, users: users)
        var row = -1
        events.removeAll { _ in
            row += 1
            return folding.isFolded[row]
        }
        return folding.counts
    }

    private mutating func run(_ events: inout [LoggedEvent], users: Int) {
        var order = Self.rowsByUser(events, users: users)
        events.withUnsafeMutableBufferPointer { events in
            order.withUnsafeMutableBufferPointer { order in
                var start = 0
                while start < order.count {
                    let end = Self.endOfTie(order, events, from: start)
                    if end - start > 1 { Self.arrangeTie(&order[start..<end], events) }
                    for place in start..<end {
                        let previous = place > start ? Int(order[place - 1]) : nil
                        take(Int(order[place]), after: previous, events)
                    }
                    start = end
                }
            }
        }
    }

    /// Takes the event in `row`, which comes after `previous` among events of one user and millisecond.
    private mutating func take(_ row: Int, after previous: Int?, _ events: UnsafeMutableBufferPointer<LoggedEvent>) {
        let event = events[row]
        let candidate = latest[Int(event.item)]
        let exposure = candidate != Self.none && events[Int(candidate)].user == event.user ? Int(candidate) : nil
        let isShowing = event.actions.contains(.impression)
        if isShowing, let exposure, events[exposure].time == event.time {
            drop(row)
        } else if !isShowing, let previous, isSameAction(events[previous], event) {
            drop(row)
        } else if !isShowing, let exposure, event.time &- events[exposure].time <= windowMilliseconds {
            events[exposure].actions.formUnion(event.actions)
            events[exposure].watchSeconds += event.watchSeconds
            counts.joined += 1
            isFolded[row] = true
        } else {
            latest[Int(event.item)] = UInt32(truncatingIfNeeded: row)
            counts.unattached += isShowing ? 0 : 1
        }
    }

    private mutating func drop(_ row: Int) {
        counts.duplicates += 1
        isFolded[row] = true
    }

    /// Ties are arranged so that equal actions are neighbours: nothing has joined the earlier one yet.
    private func isSameAction(_ earlier: LoggedEvent, _ later: LoggedEvent) -> Bool {
        earlier.item == later.item && earlier.actions == later.actions && earlier.watchSeconds == later.watchSeconds
    }

    /// Rows of events, each user's together, oldest first: a counting sort by user.
    private static func rowsByUser(_ events: [LoggedEvent], users: Int) -> [UInt32] {
        var places = [Int](repeating: 0, count: users + 1)
        for event in events { places[Int(event.user) + 1] += 1 }
        for user in 0..<users { places[user + 1] += places[user] }
        var order = [UInt32](repeating: 0, count: events.count)
        for row in events.indices {
            let user = Int(events[row].user)
            order[places[user]] = UInt32(truncatingIfNeeded: row)
            places[user] += 1
        }
        return order
    }

    /// One past the last place whose event has the user and the time of the event at `start`.
    private static func endOfTie(
        _ order: UnsafeMutableBufferPointer<UInt32>, _ events: UnsafeMutableBufferPointer<LoggedEvent>, from start: Int
    ) -> Int {
        let first = events[Int(order[start])]
        var end = start + 1
        while end < order.count {
            let next = events[Int(order[end])]
            guard next.user == first.user, next.time == first.time else { break }
            end += 1
        }
        return end
    }

    /// Within one user and millisecond: by item, showings before actions, equal actions together, else as logged.
    private static func arrangeTie(
        _ rows: inout Slice<UnsafeMutableBufferPointer<UInt32>>, _ events: UnsafeMutableBufferPointer<LoggedEvent>
    ) {
        func rank(_ row: UInt32) -> (UInt32, UInt16, UInt32, UInt32) {
            let event = events[Int(row)]
            guard !event.actions.contains(.impression) else { return (event.item, 0, 0, row) }
            return (event.item, event.actions.rawValue | 1, event.watchSeconds.bitPattern, row)
        }
        rows.sort { rank($0) < rank($1) }
    }
}
