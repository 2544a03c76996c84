import RPC
import Testing

struct RetryBudgetTests {
    private func budget(ratio: Double, perSecond: Double, maximum: Double) -> RetryBudget {
        var configuration = RetryBudgetConfiguration()
        configuration.ratio = ratio
        configuration.perSecondMinimum = perSecond
        configuration.tokensMaximum = maximum
        return RetryBudget(configuration, now: at(0))
    }

    @Test func extraAttemptsStayAShareOfTheCalls() {
        var budget = budget(ratio: 0.25, perSecond: 0, maximum: 100)
        var extra = 0
        for _ in 0..<1000 {
            budget.callStarted()
            if budget.withdraw(now: at(0)) {
                extra += 1
            }
        }
        #expect(extra == 250)
    }

    @Test func quietClientRetriesAtTheLowestRate() {
        var budget = budget(ratio: 0, perSecond: 2, maximum: 100)
        #expect((0..<2).count { _ in budget.withdraw(now: at(0)) } == 2)
        #expect(budget.withdraw(now: at(0)) == false)
        #expect(budget.withdraw(now: at(0.4)) == false)
        #expect(budget.withdraw(now: at(0.5)) == true)
        #expect(budget.withdraw(now: at(0.9)) == false)
        #expect(budget.withdraw(now: at(1)) == true)
    }

    @Test func savingsAreBounded() {
        var budget = budget(ratio: 1, perSecond: 10, maximum: 3)
        for _ in 0..<50 {
            budget.callStarted()
        }
        let granted = (0..<10).count { _ in budget.withdraw(now: at(1000)) }
        #expect(granted == 3)
    }

    @Test func clockThatStandsStillOrFallsBackAddsNothing() {
        var budget = budget(ratio: 0, perSecond: 1, maximum: 10)
        #expect(budget.withdraw(now: at(5)) == true)
        while budget.withdraw(now: at(5)) {}
        #expect(budget.withdraw(now: at(4)) == false)
        #expect(budget.withdraw(now: at(5.5)) == false)
        #expect(budget.withdraw(now: at(6)) == true)
    }
}
