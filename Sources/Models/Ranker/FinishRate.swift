import Foundation

/// How often items of a length are finished, f(duration): a long item is finished less often whatever its worth, so that
/// p_finish / f(duration) compares items of different lengths.
public struct FinishRate: Codable, Hashable, Sendable {
    /// Log of seconds, rising strictly.
    public let logSeconds: [Float]
    /// The rate at each; it does not rise with the length.
    public let rates: [Float]

    /// Rates below this say that next to nothing was finished, and would lift what is divided by them without bound.
    private static let least: Float = 0.01

    /// - Returns: nil unless there are as many rates as lengths, the lengths rise and the rates are in 0...1.
    public init?(logSeconds: [Float], rates: [Float]) {
        guard logSeconds.count == rates.count, !rates.isEmpty,
            zip(logSeconds, logSeconds.dropFirst()).allSatisfy({ $0 < $1 }),
            rates.allSatisfy({ $0 >= 0 && $0 <= 1 }), logSeconds.allSatisfy(\.isFinite)
        else { return nil }
        self.logSeconds = logSeconds
        self.rates = rates
    }

    /// Reads what ``encode(to:)`` wrote.
    ///
    /// - Throws: for lengths that do not rise, and for rates outside 0...1.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        guard
            let rate = FinishRate(
                logSeconds: try values.decode([Float].self, forKey: .logSeconds),
                rates: try values.decode([Float].self, forKey: .rates))
        else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "expected rates of 0 to 1 at lengths that rise, as many of both"))
        }
        self = rate
    }

    private enum CodingKeys: String, CodingKey {
        case logSeconds, rates
    }

    /// Fits the falling rate to rows: quantile buckets of the length, their means, adjacent violators pooled.
    ///
    /// - Parameters:
    ///   - seconds: `[n]`, lengths of the items; rows without a length, 0 or less, are left out.
    ///   - finished: `[n]`, 0...1: finished or not, or the fraction that was played.
    ///   - buckets: of about equally many rows.
    /// - Returns: nil without rows.
    /// - Complexity: O(n log n).
    public static func fitted(seconds: [Float], finished: [Float], buckets: Int = 50) -> FinishRate? {
        precondition(seconds.count == finished.count && buckets > 0, "one length per row, some buckets")
        let order = seconds.indices.filter { seconds[$0] > 0 && seconds[$0].isFinite }
            .sorted { (seconds[$0], $0) < (seconds[$1], $1) }
        guard !order.isEmpty else { return nil }
        let count = min(buckets, order.count)
        var pooled: [Bucket] = []
        for bucket in 0..<count {
            var own = Bucket()
            for index in order[order.count * bucket / count..<order.count * (bucket + 1) / count] {
                own.logs += Double(log(seconds[index]))
                own.finished += Double(min(max(finished[index], 0), 1))
                own.rows += 1
            }
            while let before = pooled.last, before.rate <= own.rate || before.place >= own.place {
                own = before.joined(own)
                pooled.removeLast()
            }
            pooled.append(own)
        }
        return FinishRate(logSeconds: pooled.map { Float($0.place) }, rates: pooled.map { Float($0.rate) })
    }

    /// f: straight between the points over the log of the length, level outside. 1 for an item without a length.
    public func callAsFunction(seconds: Float) -> Float {
        guard seconds > 0 else { return 1 }
        let x = log(seconds)
        let next = logSeconds.firstIndex { $0 >= x } ?? logSeconds.count
        let rate: Float
        if next == 0 || next == logSeconds.count {
            rate = rates[min(next, rates.count - 1)]
        } else {
            let share = (x - logSeconds[next - 1]) / (logSeconds[next] - logSeconds[next - 1])
            rate = rates[next - 1] + share * (rates[next] - rates[next - 1])
        }
        return max(rate, Self.least)
    }

    /// `p / f(duration)`: above 1 for what is finished more often than others of its length.
    public func adjusted(_ p: Float, seconds: Float) -> Float { p / self(seconds: seconds) }

    private struct Bucket {
        var logs = 0.0
        var finished = 0.0
        var rows = 0.0

        var place: Double { logs / rows }
        var rate: Double { finished / rows }

        func joined(_ other: Bucket) -> Bucket {
            Bucket(logs: logs + other.logs, finished: finished + other.finished, rows: rows + other.rows)
        }
    }
}
