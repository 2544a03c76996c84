import NIOCore
import RPC
import Testing

struct ReplicaSetTests {
    private var generator = TestGenerator(state: 17)

    private mutating func makeSet(_ count: Int, policy: BalancingPolicy = .roundRobin) -> ReplicaSet {
        var configuration = BalancingConfiguration()
        configuration.policy = policy
        configuration.backoff.jitter = 0
        return ReplicaSet(count: count, configuration: configuration, now: at(0), using: &generator)
    }

    private mutating func connect(_ set: inout ReplicaSet, _ replicas: some Sequence<Int>, at time: NIODeadline) {
        for replica in replicas {
            _ = set.connectionStarted(to: replica, now: time, using: &generator)
            set.connectionReady(to: replica, now: time)
        }
    }

    private mutating func picks(_ set: inout ReplicaSet, _ count: Int, at time: NIODeadline) -> Set<ReplicaSet.Pick> {
        Set((0..<count).map { _ in set.pick(now: time, using: &generator) })
    }

    @Test mutating func callsWaitForTheFirstConnection() {
        var set = makeSet(2)
        #expect(set.pick(now: at(0), using: &generator) == .wait)
        _ = set.connectionStarted(to: 0, now: at(0), using: &generator)
        #expect(set.state(of: 0) == .connecting)
        #expect(set.pick(now: at(0), using: &generator) == .wait)
        set.connectionReady(to: 0, now: at(0.1))
        #expect(set.pick(now: at(0.1), using: &generator) == .replica(0))
    }

    @Test mutating func callsDoNotWaitForReplicasThatKeepFailing() {
        var set = makeSet(1)
        _ = set.connectionStarted(to: 0, now: at(0), using: &generator)
        #expect(set.connectionEnded(to: 0, now: at(0.1)) == at(1))
        #expect(set.state(of: 0) == .transientFailure(retryAt: at(1)))
        #expect(set.pick(now: at(0.1), using: &generator) == .unreachable)
        _ = set.connectionStarted(to: 0, now: at(1), using: &generator)
        #expect(set.state(of: 0) == .reconnecting)
        #expect(set.pick(now: at(1), using: &generator) == .unreachable)
        #expect(set.connectionEnded(to: 0, now: at(1.1)) == at(2.6))
        _ = set.connectionStarted(to: 0, now: at(2.6), using: &generator)
        set.connectionReady(to: 0, now: at(2.7))
        #expect(set.pick(now: at(2.7), using: &generator) == .replica(0))
    }

    @Test mutating func connectionThatWorkedIsReplacedAtOnce() {
        var set = makeSet(2)
        connect(&set, 0..<2, at: at(0))
        #expect(set.connectionEnded(to: 0, now: at(60)) == at(60))
        #expect(set.state(of: 0) == .connecting)
        #expect(picks(&set, 4, at: at(60)) == [.replica(1)])
        #expect(set.connectionEnded(to: 1, now: at(60)) == at(60))
        #expect(set.pick(now: at(60), using: &generator) == .wait)
    }

    @Test("A server that accepts and closes is not hammered")
    mutating func acceptAndClose() {
        var set = makeSet(1)
        var now = at(0)
        var waits: [Int] = []
        for _ in 0..<4 {
            connect(&set, [0], at: now)
            let retry = set.connectionEnded(to: 0, now: now + .milliseconds(10))
            waits.append(milliseconds(retry - now))
            now = retry
        }
        #expect(waits == [1000, 1600, 2000, 2000])
    }

    @Test mutating func roundRobinSkipsWhatIsNotReady() {
        var set = makeSet(4)
        connect(&set, [0, 2, 3], at: at(0))
        _ = set.connectionEnded(to: 2, now: at(5))
        var counts = [0, 0, 0, 0]
        for _ in 0..<100 {
            if case .replica(let index) = set.pick(now: at(5), using: &generator) {
                counts[index] += 1
            }
        }
        #expect(counts == [50, 0, 0, 50])
    }

    @Test(arguments: BalancingPolicy.allCases)
    mutating func secondAttemptGoesElsewhereIfItCan(policy: BalancingPolicy) {
        var set = makeSet(3, policy: policy)
        connect(&set, 0..<3, at: at(0))
        var seen: Set<ReplicaSet.Pick> = []
        for _ in 0..<60 {
            seen.insert(set.pick(excluding: 1, now: at(1), using: &generator))
        }
        #expect(seen == [.replica(0), .replica(2)])
        _ = set.connectionEnded(to: 0, now: at(2))
        _ = set.connectionEnded(to: 2, now: at(2))
        #expect(set.pick(excluding: 1, now: at(2), using: &generator) == .replica(1))
    }

    @Test mutating func leastLoadedFollowsCallsInFlight() {
        var set = makeSet(2, policy: .leastLoaded)
        connect(&set, 0..<2, at: at(0))
        set.attemptStarted(on: 0)
        #expect(picks(&set, 20, at: at(1)) == [.replica(1)])
        set.attemptStarted(on: 1)
        set.attemptStarted(on: 1)
        #expect(picks(&set, 20, at: at(1)) == [.replica(0)])
        set.attemptEnded(on: 1, success: true, now: at(1))
        set.attemptEnded(on: 1, success: nil, now: at(1))
        #expect(set.inFlight(of: 1) == 0)
        #expect(picks(&set, 20, at: at(1)) == [.replica(1)])
    }

    @Test mutating func failingReplicaIsEjectedAndComesBack() {
        var set = makeSet(2)
        connect(&set, 0..<2, at: at(0))
        for _ in 0..<5 {
            set.attemptStarted(on: 0)
            set.attemptEnded(on: 0, success: false, now: at(1))
        }
        #expect(set.isEjected(0))
        #expect(picks(&set, 10, at: at(30.9)) == [.replica(1)])
        #expect(picks(&set, 10, at: at(31)) == [.replica(0), .replica(1)])
    }

    @Test mutating func cancelledCallsSayNothingOfTheReplica() {
        var set = makeSet(2)
        connect(&set, 0..<2, at: at(0))
        for _ in 0..<50 {
            set.attemptStarted(on: 0)
            set.attemptEnded(on: 0, success: nil, now: at(1))
        }
        #expect(!set.isEjected(0))
    }

    @Test mutating func ejectedReplicaServesWhenNoOtherIsReady() {
        var set = makeSet(2)
        connect(&set, 0..<2, at: at(0))
        for _ in 0..<5 {
            set.attemptStarted(on: 0)
            set.attemptEnded(on: 0, success: false, now: at(1))
        }
        _ = set.connectionEnded(to: 1, now: at(2))
        #expect(set.pick(now: at(2), using: &generator) == .replica(0))
    }

    /// Random histories keep the set's promises: a pick is ready, and is ejected only when all that are ready are.
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    mutating func randomHistories(seed: UInt64) {
        generator = TestGenerator(state: seed)
        let count = Int.random(in: 1...6, using: &generator)
        var set = makeSet(count, policy: Bool.random(using: &generator) ? .roundRobin : .leastLoaded)
        var now = at(0)
        for _ in 0..<2000 {
            now = now + .milliseconds(Int64.random(in: 0...2000, using: &generator))
            let replica = Int.random(in: 0..<count, using: &generator)
            switch set.state(of: replica) {
            case .idle: _ = set.connectionStarted(to: replica, now: now, using: &generator)
            case .transientFailure(let retryAt):
                if retryAt <= now { _ = set.connectionStarted(to: replica, now: now, using: &generator) }
            case .connecting, .reconnecting:
                if Bool.random(using: &generator) { set.connectionReady(to: replica, now: now) }
            case .ready:
                if Int.random(in: 0..<8, using: &generator) == 0 { _ = set.connectionEnded(to: replica, now: now) }
            }
            check(set.pick(now: now, using: &generator), of: &set, at: now, seed: seed)
        }
    }

    private mutating func check(
        _ pick: ReplicaSet.Pick, of set: inout ReplicaSet, at now: NIODeadline, seed: UInt64
    ) {
        let ready = (0..<set.count).filter { set.state(of: $0) == .ready }
        switch pick {
        case .replica(let index):
            #expect(ready.contains(index), "seed \(seed)")
            #expect(!set.isEjected(index) || ready.allSatisfy { set.isEjected($0) }, "seed \(seed)")
            set.attemptStarted(on: index)
            set.attemptEnded(on: index, success: Int.random(in: 0..<3, using: &generator) > 0, now: now)
        case .wait, .unreachable:
            #expect(ready.isEmpty, "seed \(seed)")
        }
    }
}
