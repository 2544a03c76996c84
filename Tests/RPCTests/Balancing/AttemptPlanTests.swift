import NIOCore
import RPC
import Testing

struct AttemptPlanTests {
    private var budget = RetryBudget(now: at(0))

    private func plan(
        attempts: Int = 3, hedges: Bool = true, deadline: NIODeadline = at(10)
    ) -> AttemptPlan {
        var configuration = AttemptConfiguration()
        configuration.attemptsMaximum = attempts
        configuration.hedges = hedges
        return AttemptPlan(configuration, deadline: deadline)
    }

    @Test mutating func unavailableIsRetriedFirstAtOnceThenLater() {
        var plan = plan(attempts: 4)
        #expect(plan.attemptFailed(.unavailable, now: at(1), budget: &budget) == .retry(at: at(1)))
        #expect(plan.attemptFailed(.unavailable, now: at(2), budget: &budget) == .retry(at: at(2.01)))
        #expect(plan.attemptFailed(.unavailable, now: at(3), budget: &budget) == .retry(at: at(3.02)))
        #expect(plan.attemptFailed(.unavailable, now: at(4), budget: &budget) == .fail)
        #expect(plan.started == 4)
    }

    @Test mutating func otherFailuresAreFinal() {
        var plan = plan()
        #expect(plan.attemptFailed(.final, now: at(1), budget: &budget) == .fail)
        #expect(plan.started == 1)
    }

    @Test mutating func deadlineEndsRetries() {
        var plan = plan(deadline: at(2))
        #expect(plan.attemptFailed(.unavailable, now: at(1.999), budget: &budget) == .retry(at: at(1.999)))
        // The next would start at 2.005.
        #expect(plan.attemptFailed(.unavailable, now: at(1.995), budget: &budget) == .fail)
    }

    @Test mutating func emptyBudgetEndsRetriesAndHedges() {
        while budget.withdraw(now: at(1)) {}
        var retried = plan()
        #expect(retried.attemptFailed(.unavailable, now: at(1), budget: &budget) == .fail)
        var hedged = plan()
        #expect(hedged.hedge(now: at(1), budget: &budget) == false)
        #expect(hedged.running == 1)
    }

    @Test func hedgeComesAfterTheSlowQuantile() {
        #expect(plan().hedgeTime(slow: .milliseconds(30), now: at(1)) == at(1.03))
        #expect(plan().hedgeTime(slow: .microseconds(20), now: at(1)) == at(1.001))
        #expect(plan().hedgeTime(slow: nil, now: at(1)) == nil)
        #expect(plan(hedges: false).hedgeTime(slow: .milliseconds(30), now: at(1)) == nil)
        #expect(plan(attempts: 1).hedgeTime(slow: .milliseconds(30), now: at(1)) == nil)
        #expect(plan(deadline: at(1.02)).hedgeTime(slow: .milliseconds(30), now: at(1)) == nil)
    }

    @Test mutating func oneHedgeAtMost() {
        var plan = plan()
        let first = plan.hedge(now: at(1), budget: &budget)
        let second = plan.hedge(now: at(2), budget: &budget)
        #expect(first && !second)
        #expect(plan.running == 2)
    }

    @Test mutating func failureWaitsForTheHedge() {
        var plan = plan()
        #expect(plan.hedge(now: at(1), budget: &budget))
        #expect(plan.attemptFailed(.unavailable, now: at(1.1), budget: &budget) == .awaitOther)
        #expect(plan.attemptFailed(.unavailable, now: at(1.2), budget: &budget) == .retry(at: at(1.2)))
        #expect(plan.attemptFailed(.unavailable, now: at(1.3), budget: &budget) == .fail)
        #expect(plan.started == 3)
    }

    @Test mutating func finalFailureDoesNotWaitForTheHedge() {
        var plan = plan()
        #expect(plan.hedge(now: at(1), budget: &budget))
        #expect(plan.attemptFailed(.final, now: at(1.1), budget: &budget) == .fail)
    }

    /// 1,000 calls of which all fail: the extra attempts are the budget's, not the plan's three per call.
    @Test mutating func outageDoesNotMultiplyTheLoad() {
        var attempts = 0
        for _ in 0..<1000 {
            budget.callStarted()
            var plan = plan()
            var failing = true
            while failing {
                if case .fail = plan.attemptFailed(.unavailable, now: at(1), budget: &budget) { failing = false }
            }
            attempts += plan.started
        }
        // 1,000 first attempts, a fifth of that, the 10 saved at the start and the 10 of the first second.
        #expect((1200...1220).contains(attempts))
    }
}
