import Catalog
import Synchronization

/// What rankers are told of items while they serve: kept for the snapshots to come, and counted by those that are loaded.
///
/// Lost when the process ends; bounded: the oldest are forgotten first.
public final class StatisticsFeed: Sendable {
    /// Events that are kept.
    public static let eventsMax = 1_000_000
    /// Senders whose last message is remembered.
    private static let sourcesMax = 1_024

    private struct State {
        /// Oldest first; those before `first` are forgotten.
        var events: [LiveEvent] = []
        var first = 0
        /// How many events were forgotten in all.
        var forgotten = 0
        var sequences: [UInt64: UInt64] = [:]
        var listeners: [Listener] = []
    }

    private struct Listener {
        weak var object: (any StatisticsListener)?
    }

    private let state = Mutex(State())

    public init() {}

    /// Counts events, in all snapshots that are loaded.
    ///
    /// - Parameters:
    ///   - source: of a sender's life.
    ///   - sequence: numbers its messages, rising: one that comes again counts once.
    /// - Returns: whether it was new.
    /// - Complexity: O(events * loaded snapshots).
    @discardableResult
    public func record(_ events: [LiveEvent], source: UInt64, sequence: UInt64) -> Bool {
        state.withLock { state in
            if let last = state.sequences[source], sequence <= last { return false }
            if state.sequences.count >= Self.sourcesMax { state.sequences.removeAll() }
            state.sequences[source] = sequence
            state.events.append(contentsOf: events)
            if state.events.count - state.first > Self.eventsMax {
                state.forgotten += state.events.count - Self.eventsMax - state.first
                state.first = state.events.count - Self.eventsMax
                // Moved down seldom.
                if state.first > Self.eventsMax / 8 {
                    state.events.removeFirst(state.first)
                    state.first = 0
                }
            }
            state.listeners.removeAll { $0.object == nil }
            for listener in state.listeners { listener.object?.record(events[...]) }
            return true
        }
    }

    /// Tells a ranker that was just loaded of all that is kept, and, for as long as it is there, of what comes.
    public func attach(_ ranker: Ranker) {
        for listener in ranker.listeners { attach(listener) }
    }

    package func attach(_ listener: any StatisticsListener) {
        // Piece by piece, so that whoever tells of more does not wait for all of it.
        var next: Int?
        repeat {
            let piece = state.withLock { state -> ArraySlice<LiveEvent> in
                let start = max(next ?? 0, state.forgotten) - state.forgotten + state.first
                let piece = state.events[start...].prefix(Self.pieceMax)
                next = state.forgotten + piece.endIndex - state.first
                if piece.endIndex == state.events.count {
                    listener.record(piece)
                    state.listeners.append(Listener(object: listener))
                    next = nil
                    return []
                }
                return piece
            }
            if !piece.isEmpty { listener.record(piece) }
        } while next != nil
    }

    /// Events that a listener is told of at once.
    private static let pieceMax = 4_096

    /// Events that are kept.
    public var count: Int { state.withLock { $0.events.count - $0.first } }
}
