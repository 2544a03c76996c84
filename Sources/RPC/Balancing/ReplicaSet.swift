package import NIOCore

/// How calls are spread over the replicas of one service.
public struct BalancingConfiguration: Sendable, Hashable {
    public var policy = BalancingPolicy.leastLoaded
    public var backoff = BackoffConfiguration()
    public var outliers = OutlierConfiguration()

    public init() {}
}

/// What a client knows of the replicas of one service, and which of them takes the next call.
///
/// A value without input or output: its owner connects, calls and keeps the time, and tells the set what happened. Legal
/// changes of a replica:
///
///     idle -> connecting -> ready -> connecting ...          (a lost connection that had worked for a while)
///                 |           |
///                 v           v
///             transientFailure <-> reconnecting -> ready     (attempts under back-off)
///
/// Beside that, the outlier detector may leave out replicas that are ready but fail. When it has left out all that are
/// ready they are used all the same: a bad answer is no worse than none.
package struct ReplicaSet: Sendable {
    package enum State: Sendable, Hashable {
        /// Nobody has asked for a connection yet.
        case idle
        /// First attempt, or first since a working connection: calls may wait for it.
        case connecting
        case ready
        /// No attempt before `retryAt`; calls do not wait.
        case transientFailure(retryAt: NIODeadline)
        /// A further attempt after a failure; calls do not wait, since it will likely fail too.
        case reconnecting
    }

    /// Where a call goes.
    package enum Pick: Sendable, Hashable {
        case replica(Int)
        /// None is ready, but one may be soon.
        case wait
        /// None is ready and the last attempts to connect have failed.
        case unreachable
    }

    private struct Replica {
        var state = State.idle
        var readySince: NIODeadline = .distantPast
        var inFlight = 0
        var backoff: Backoff
    }

    private let configuration: BalancingConfiguration
    private var replicas: [Replica]
    private var outliers: OutlierDetector
    private var picker: Picker
    /// Replicas that take calls; rebuilt when a state changes, never per call.
    private var eligible: [Int] = []

    package init(
        count: Int, configuration: BalancingConfiguration = .init(), now: NIODeadline,
        using generator: inout some RandomNumberGenerator
    ) {
        precondition(count > 0, "a service needs a replica")
        self.configuration = configuration
        let replica = Replica(backoff: Backoff(configuration.backoff))
        replicas = Array(repeating: replica, count: count)
        outliers = OutlierDetector(configuration.outliers, replicas: count, now: now)
        picker = Picker(configuration.policy, start: Int.random(in: 0..<count, using: &generator))
        eligible.reserveCapacity(count)
    }

    package var count: Int { replicas.count }

    package func state(of replica: Int) -> State { replicas[replica].state }

    package func inFlight(of replica: Int) -> Int { replicas[replica].inFlight }

    package func isEjected(_ replica: Int) -> Bool { outliers.isEjected(replica) }
}

// MARK: Connections

extension ReplicaSet {
    /// Notes that an attempt to connect starts; returns when to give it up.
    package mutating func connectionStarted(
        to replica: Int, now: NIODeadline, using generator: inout some RandomNumberGenerator
    ) -> NIODeadline {
        switch replicas[replica].state {
        case .idle: replicas[replica].state = .connecting
        case .transientFailure: replicas[replica].state = .reconnecting
        case .connecting: break
        case .ready, .reconnecting: preconditionFailure("a replica has one connection or attempt at a time")
        }
        return replicas[replica].backoff.attemptStarted(at: now, using: &generator)
    }

    package mutating func connectionReady(to replica: Int, now: NIODeadline) {
        replicas[replica].state = .ready
        replicas[replica].readySince = now
        rebuild()
    }

    /// Notes that an attempt failed or a connection ended; returns when to try again.
    ///
    /// A connection that worked for at least the initial wait is replaced at once and clears the back-off. One that broke
    /// sooner counts as a failed attempt, so that a server that accepts and closes is not hammered.
    package mutating func connectionEnded(to replica: Int, now: NIODeadline) -> NIODeadline {
        let previous = replicas[replica].state
        let worked =
            previous == .ready && now - replicas[replica].readySince >= TimeAmount(configuration.backoff.initial)
        if worked {
            replicas[replica].backoff.reset()
            replicas[replica].state = .connecting
            rebuild()
            return now
        }
        let retryAt = replicas[replica].backoff.retryTime(after: now)
        replicas[replica].state = .transientFailure(retryAt: retryAt)
        rebuild()
        return retryAt
    }

    private mutating func rebuild() {
        eligible.removeAll(keepingCapacity: true)
        for index in replicas.indices where replicas[index].state == .ready && !outliers.isEjected(index) {
            eligible.append(index)
        }
        if eligible.isEmpty {
            eligible.append(contentsOf: replicas.indices.filter { replicas[$0].state == .ready })
        }
    }
}

// MARK: Calls

extension ReplicaSet {
    /// Chooses the replica for one attempt.
    ///
    /// - Parameter excluded: a replica to avoid because another attempt of the call went there; used again only when
    ///   there is no other.
    /// - Complexity: O(1), O(replicas) when an ejection ends or an interval of the outlier detector is over.
    package mutating func pick(
        excluding excluded: Int? = nil, now: NIODeadline, using generator: inout some RandomNumberGenerator
    ) -> Pick {
        if outliers.advance(to: now) {
            rebuild()
        }
        guard !eligible.isEmpty else {
            return replicas.contains { $0.state == .idle || $0.state == .connecting } ? .wait : .unreachable
        }
        guard let excluded, eligible.count > 1, let gap = eligible.firstIndex(of: excluded) else {
            return .replica(eligible[pickPosition(of: eligible.count, gap: eligible.count, using: &generator)])
        }
        return .replica(eligible[pickPosition(of: eligible.count - 1, gap: gap, using: &generator)])
    }

    /// A position in `eligible` other than `gap`, picked among `count` candidates.
    private mutating func pickPosition(
        of count: Int, gap: Int, using generator: inout some RandomNumberGenerator
    ) -> Int {
        func position(_ candidate: Int) -> Int { candidate < gap ? candidate : candidate + 1 }
        let candidate = picker.pick(of: count, using: &generator) { replicas[eligible[position($0)]].inFlight }
        return position(candidate)
    }

    package mutating func attemptStarted(on replica: Int) {
        replicas[replica].inFlight += 1
    }

    /// Notes the end of an attempt.
    ///
    /// - Parameter success: whether the replica did its work; nil when the outcome says nothing about the replica, as
    ///   when the caller cancelled.
    package mutating func attemptEnded(on replica: Int, success: Bool?, now: NIODeadline) {
        replicas[replica].inFlight -= 1
        assert(replicas[replica].inFlight >= 0, "an attempt ended twice")
        guard let success else { return }
        if outliers.record(success: success, of: replica, now: now) {
            rebuild()
        }
    }
}
