public import Catalog
import Features
import Kernels

/// The baseline that has learned rates and nothing else: smoothed item, user and surface rates, log-odds added.
///
/// A ranker that does not clearly beat it, fitted on the same rows, has learned nothing beyond rates.
public struct RateModel: Sendable {
    private let items: [Float]
    private let users: [Float]
    private let surfaces: [Float]
    private let base: Float

    /// Fits priors (method of moments) and rates on those of `rows` that are trials.
    ///
    /// - Parameter isPositive: The label of a row of the log.
    /// - Complexity: O(rows + items + users).
    public init(
        exposures: ExposureTable, rows: Range<Int>, itemCount: Int, userCount: Int, isPositive: (Int) -> Bool
    ) {
        var items = Rates(count: itemCount)
        var users = Rates(count: userCount)
        var surfaces = Rates(count: exposures.surfaceNames.count)
        for row in rows where exposures.isTrial(row) {
            let success: Float = isPositive(row) ? 1 : 0
            items.add(Int(exposures.items[row]), success)
            users.add(Int(exposures.users[row]), success)
            surfaces.add(Int(exposures.surfaces[row]), success)
        }
        self.items = items.deviations
        self.users = users.deviations
        self.surfaces = surfaces.deviations
        base = users.prior.logOdds
    }

    /// Log-odds of a positive: the common rate's, plus how item, user and surface deviate from it.
    public func logOdds(user: Int, item: Int, surface: Int) -> Float {
        base + items[item] + users[user] + surfaces[surface]
    }

    /// ``logOdds(user:item:surface:)`` of rows of a log.
    public func logOdds(_ exposures: ExposureTable, rows: Range<Int>) -> [Float] {
        rows.map {
            logOdds(
                user: Int(exposures.users[$0]), item: Int(exposures.items[$0]), surface: Int(exposures.surfaces[$0]))
        }
    }

    private struct Rates {
        var successes: [Float]
        var trials: [Float]

        init(count: Int) {
            successes = Array(repeating: 0, count: count)
            trials = successes
        }

        mutating func add(_ index: Int, _ success: Float) {
            successes[index] += success
            trials[index] += 1
        }

        var prior: BetaPrior { BetaPrior(successes: successes, trials: trials) }

        var deviations: [Float] {
            let prior = prior
            return zip(successes, trials).map { prior.logOdds(successes: $0, trials: $1) - prior.logOdds }
        }
    }
}
