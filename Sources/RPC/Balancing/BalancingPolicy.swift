/// How a call finds its replica among those that are ready.
public enum BalancingPolicy: String, Sendable, Hashable, CaseIterable {
    /// Each in turn.
    case roundRobin = "round-robin"
    /// The one with fewer calls in flight of two drawn at random: nearly as even as asking all, at constant cost, and
    /// without the stampede to the emptiest (Mitzenmacher, "The power of two choices", 2001).
    case leastLoaded = "least-loaded"
}

/// Picks positions among `count` candidates by a policy.
package struct Picker: Sendable {
    private let policy: BalancingPolicy
    private var turn = 0

    /// - Parameter start: first turn of round-robin; drawn at random, so that clients started together do not march in step.
    package init(_ policy: BalancingPolicy, start: Int = 0) {
        self.policy = policy
        turn = start
    }

    /// A position in `0..<count`.
    ///
    /// - Parameters:
    ///   - count: candidates, at least 1.
    ///   - load: calls in flight of the candidate at a position.
    /// - Complexity: O(1).
    package mutating func pick(
        of count: Int, using generator: inout some RandomNumberGenerator, load: (Int) -> Int
    ) -> Int {
        precondition(count > 0, "nothing to pick from")
        guard count > 1 else { return 0 }
        switch policy {
        case .roundRobin:
            turn = turn < count - 1 ? turn + 1 : 0
            return turn
        case .leastLoaded:
            let first = Int.random(in: 0..<count, using: &generator)
            var second = Int.random(in: 0..<(count - 1), using: &generator)
            if second >= first {
                second += 1
            }
            return load(second) < load(first) ? second : first
        }
    }
}
