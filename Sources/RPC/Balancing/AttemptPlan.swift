package import NIOCore

/// When one call is sent more than once.
public struct AttemptConfiguration: Sendable, Hashable {
    /// Attempts of one call, the first, its retries and its hedge together, at least 1.
    public var attemptsMaximum = 3
    /// Wait before the second retry and those after it, doubled each time; the first retry goes out at once, to another
    /// replica if there is one.
    public var retryWait: Duration = .milliseconds(10)
    /// Whether an unanswered call is sent to a second replica once it has taken longer than 95 % of recent calls
    /// (Dean and Barroso, "The tail at scale", 2013). For calls that may run twice without harm.
    public var hedges = false
    /// Never hedge sooner than this: below it, a timer's own delay matters more than the replica's.
    public var hedgeDelayMinimum: Duration = .milliseconds(1)

    public init() {}
}

/// The attempts of one call: what to do when one fails, answers, or is slow.
///
/// A value: the owner sends, waits and keeps the time. An attempt is retried only if it failed as unavailable before any
/// response, and while attempts, budget and deadline last. There is at most one hedge. The first answer wins, and the
/// owner then cancels the attempts that still run.
package struct AttemptPlan: Sendable {
    /// How an attempt failed.
    package enum Failure: Sendable, Hashable {
        /// The replica could not be reached or refused before any response: safe to send again.
        case unavailable
        /// Anything else: final.
        case final
    }

    package enum Decision: Sendable, Hashable {
        /// Send another attempt at `time`, preferably elsewhere.
        case retry(at: NIODeadline)
        /// Another attempt is still running; it decides.
        case awaitOther
        /// The call fails with the attempt's error.
        case fail
    }

    private let configuration: AttemptConfiguration
    private let deadline: NIODeadline
    package private(set) var running = 1
    package private(set) var started = 1
    private var retries = 0
    private var hedged = false

    /// The first attempt is being sent.
    package init(_ configuration: AttemptConfiguration, deadline: NIODeadline) {
        precondition(configuration.attemptsMaximum >= 1, "a call needs an attempt")
        self.configuration = configuration
        self.deadline = deadline
    }

    /// When to call `hedge`, or nil if this call is not to be hedged.
    ///
    /// - Parameter slow: the observed 95th percentile of latencies, nil while too few calls were seen.
    package func hedgeTime(slow: Duration?, now: NIODeadline) -> NIODeadline? {
        guard configuration.hedges, configuration.attemptsMaximum > 1, let slow else { return nil }
        let time = now + TimeAmount(max(slow, configuration.hedgeDelayMinimum))
        return time < deadline ? time : nil
    }

    /// The hedge's time has come; true when a second attempt is to be sent now.
    package mutating func hedge(now: NIODeadline, budget: inout RetryBudget) -> Bool {
        guard !hedged, running == 1, started < configuration.attemptsMaximum, now < deadline,
            budget.withdraw(now: now)
        else { return false }
        hedged = true
        running += 1
        started += 1
        return true
    }

    /// Decides what follows the failure of an attempt. A retry counts as running from now on.
    package mutating func attemptFailed(_ failure: Failure, now: NIODeadline, budget: inout RetryBudget) -> Decision {
        running -= 1
        assert(running >= 0, "an attempt failed twice")
        guard failure == .unavailable else { return .fail }
        guard running == 0 else { return .awaitOther }
        let time = now + wait
        guard started < configuration.attemptsMaximum, time < deadline, budget.withdraw(now: now) else { return .fail }
        running += 1
        started += 1
        retries += 1
        return .retry(at: time)
    }

    private var wait: TimeAmount {
        retries == 0 ? .zero : TimeAmount(configuration.retryWait * (1 << min(retries - 1, 20)))
    }
}
