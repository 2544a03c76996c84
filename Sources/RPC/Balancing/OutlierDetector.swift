package import NIOCore

/// When a replica that answers, but badly, is left out for a while.
///
/// Two signs are looked for, as in Envoy and gRPC (proposal A50): many failures in a row, and a success rate far below that
/// of the other replicas.
public struct OutlierConfiguration: Sendable, Hashable {
    /// Failures in a row that eject a replica at once; 0 turns the sign off.
    public var consecutiveFailures = 5
    /// How often success rates are compared and ejection counts decay.
    public var interval: Duration = .seconds(10)
    /// Length of the first ejection; the n-th in a row lasts n times as long.
    public var ejectionBase: Duration = .seconds(30)
    /// Longest ejection.
    public var ejectionMaximum: Duration = .seconds(300)
    /// Largest share of the replicas that may be out at a time, 0...1, rounded down: one replica alone is never ejected.
    public var ejectedShareMaximum = 0.5
    /// A replica is ejected when its success rate is this many standard deviations below the mean of all.
    public var deviations = 1.9
    /// Replicas with enough calls in the interval, below which success rates are not compared.
    public var successRateReplicasMinimum = 5
    /// Calls in the interval that a replica needs for its rate to count.
    public var successRateCallsMinimum = 100

    public init() {}
}

/// Watches the outcomes of the calls to a set of replicas and decides which to leave out.
///
/// Legal changes of a replica: in -> ejected (by failures in a row or by a sweep) -> in (when its time is up).
/// Repeated ejections last longer; each interval spent in takes one from the count.
package struct OutlierDetector: Sendable {
    private struct Record {
        var failuresInARow = 0
        var successes = 0
        var failures = 0
        var ejections = 0
        var ejectedUntil: NIODeadline?
    }

    private let configuration: OutlierConfiguration
    private var records: [Record]
    private var nextSweep: NIODeadline

    package init(_ configuration: OutlierConfiguration = .init(), replicas: Int, now: NIODeadline) {
        precondition((0...1).contains(configuration.ejectedShareMaximum), "the ejected share lies in 0...1")
        self.configuration = configuration
        records = Array(repeating: Record(), count: replicas)
        nextSweep = now + TimeAmount(configuration.interval)
    }

    package func isEjected(_ replica: Int) -> Bool {
        records[replica].ejectedUntil != nil
    }

    /// Counts the outcome of one call; true when it ejects the replica.
    ///
    /// - Complexity: O(1), O(replicas) when it ejects.
    package mutating func record(success: Bool, of replica: Int, now: NIODeadline) -> Bool {
        guard !success else {
            records[replica].successes += 1
            records[replica].failuresInARow = 0
            return false
        }
        records[replica].failures += 1
        records[replica].failuresInARow += 1
        let limit = configuration.consecutiveFailures
        guard limit > 0, records[replica].failuresInARow >= limit else { return false }
        return eject(replica, now: now)
    }

    /// Ends ejections whose time is up and, once per interval, compares success rates; true when the set of ejected
    /// replicas has changed.
    ///
    /// - Complexity: O(1) until something is due, then O(replicas).
    package mutating func advance(to now: NIODeadline) -> Bool {
        guard now >= nextEvent else { return false }
        var changed = release(now: now)
        if now >= nextSweep {
            nextSweep = now + TimeAmount(configuration.interval)
            changed = sweep(now: now) || changed
        }
        return changed
    }

    /// The earliest time at which `advance` has anything to do.
    private var nextEvent: NIODeadline {
        min(nextSweep, nextRelease)
    }

    private var nextRelease: NIODeadline = .distantFuture

    private mutating func eject(_ replica: Int, now: NIODeadline) -> Bool {
        guard records[replica].ejectedUntil == nil else { return false }
        let ejected = records.count { $0.ejectedUntil != nil }
        let limit = Int(configuration.ejectedShareMaximum * Double(records.count))
        guard ejected < limit else { return false }
        records[replica].ejections += 1
        let length = min(configuration.ejectionBase * records[replica].ejections, configuration.ejectionMaximum)
        let end = now + TimeAmount(length)
        records[replica].ejectedUntil = end
        nextRelease = min(nextRelease, end)
        return true
    }

    private mutating func release(now: NIODeadline) -> Bool {
        var changed = false
        nextRelease = .distantFuture
        for index in records.indices {
            guard let end = records[index].ejectedUntil else { continue }
            if end <= now {
                records[index].ejectedUntil = nil
                records[index].failuresInARow = 0
                changed = true
            } else {
                nextRelease = min(nextRelease, end)
            }
        }
        return changed
    }

    private mutating func sweep(now: NIODeadline) -> Bool {
        var changed = false
        if let threshold = successRateThreshold() {
            for index in records.indices {
                if let rate = successRate(of: index), rate < threshold {
                    changed = eject(index, now: now) || changed
                }
            }
        }
        for index in records.indices {
            records[index].successes = 0
            records[index].failures = 0
            if records[index].ejectedUntil == nil {
                records[index].ejections = max(0, records[index].ejections - 1)
            }
        }
        return changed
    }

    /// Mean minus `deviations` standard deviations of the replicas' success rates in 0...1.
    private func successRateThreshold() -> Double? {
        let rates = records.indices.compactMap(successRate)
        guard !rates.isEmpty, rates.count >= configuration.successRateReplicasMinimum else { return nil }
        let mean = rates.reduce(0, +) / Double(rates.count)
        let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)
        return mean - configuration.deviations * variance.squareRoot()
    }

    private func successRate(of replica: Int) -> Double? {
        let record = records[replica]
        let calls = record.successes + record.failures
        guard calls > 0, calls >= configuration.successRateCallsMinimum else { return nil }
        return Double(record.successes) / Double(calls)
    }
}
