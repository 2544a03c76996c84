import NIOCore

/// When a connection is tested, and when it has lived long enough. Nil means never.
public struct ConnectionTiming: Sendable, Hashable {
    /// A PING goes out when nothing was heard for so long while calls are in flight.
    public var keepaliveInterval: Duration? = .seconds(60)
    /// The connection is dropped when the PING is not answered within this: gRPC's default.
    public var keepaliveTimeout: Duration = .seconds(20)
    /// A peer that says nothing at all within this after connecting is dropped.
    public var handshakeTimeout: Duration = .seconds(20)
    /// A connection without calls for so long is drained.
    public var idleMax: Duration?
    /// A connection of this age is drained, so that load balancers can move clients.
    public var ageMax: Duration?
    /// A client's connection is drained after so many calls, and the next ones go over a new one: stream ids are the odd
    /// numbers of 31 bits, and end at 2^30.
    public var callsMax = 1 << 29

    public init() {}
}

/// Decides by the clock when a connection is tested, drained or given up.
///
/// Keep-alive: quiet -> ping sent -> quiet (heard anything) or dead. Timers are lazy: `nextEvent` may come early, and
/// `advance` then does nothing, so that hearing something costs one store.
struct ConnectionHealth: Sendable {
    enum Action: Sendable, Hashable {
        case none
        case ping
        case drain
        case dead
    }

    private let timing: ConnectionTiming
    private let born: NIODeadline
    private var heard: NIODeadline
    private var hasHeard = false
    private var pinged: NIODeadline?
    /// Nil while calls are in flight.
    private var idleSince: NIODeadline?
    private var isDraining = false

    init(_ timing: ConnectionTiming, now: NIODeadline) {
        self.timing = timing
        born = now
        heard = now
        idleSince = now
    }

    mutating func received(now: NIODeadline) {
        heard = now
        hasHeard = true
        pinged = nil
    }

    mutating func pingAcknowledged() {
        pinged = nil
    }

    mutating func becameBusy() {
        idleSince = nil
    }

    mutating func becameIdle(now: NIODeadline) {
        idleSince = now
    }

    mutating func advance(to now: NIODeadline) -> Action {
        if !hasHeard, now >= handshakeEnd { return .dead }
        if let pinged, now >= pinged + TimeAmount(timing.keepaliveTimeout) { return .dead }
        if !isDraining, now >= drainTime {
            isDraining = true
            return .drain
        }
        if pinged == nil, now >= pingTime {
            // Quiet without calls is no reason for a test, but restarts the wait.
            heard = now
            guard idleSince == nil else { return .none }
            pinged = now
            return .ping
        }
        return .none
    }

    var nextEvent: NIODeadline {
        let test = pinged.map { $0 + TimeAmount(timing.keepaliveTimeout) } ?? pingTime
        let end = hasHeard ? test : min(test, handshakeEnd)
        return isDraining ? end : min(end, drainTime)
    }

    private var handshakeEnd: NIODeadline { born + TimeAmount(timing.handshakeTimeout) }

    private var pingTime: NIODeadline {
        timing.keepaliveInterval.map { heard + TimeAmount($0) } ?? .distantFuture
    }

    private var drainTime: NIODeadline {
        let age = timing.ageMax.map { born + TimeAmount($0) } ?? .distantFuture
        guard let idleMax = timing.idleMax, let idleSince else { return age }
        return min(age, idleSince + TimeAmount(idleMax))
    }
}
