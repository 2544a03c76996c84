public import Catalog
import Kernels

/// How a log is divided into what is learned from and what is to be found.
public enum EvaluationSplit: Hashable, Sendable, CustomStringConvertible {
    /// Learns from what came before a moment: about the last `fraction` of the showings are held back.
    case time(fraction: Double)
    /// Holds back every user's last click; what he did from then on is not learned from either.
    case leaveOneOut
    /// Holds back `fraction` of every user's clicks, drawn with equal chances, whatever their times.
    case random(fraction: Double)

    /// Showings to learn from and clicks to find, both ascending rows of the log.
    public struct Rows: Hashable, Sendable {
        public var training: [Int]
        public var held: [Int]
    }

    /// Reads `time:0.2`, `leave-one-out` or `random:0.25`; nil for anything else, and for a fraction outside 0.01...0.9.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? Double(parts[1]) : nil
        if let fraction, !(0.01...0.9).contains(fraction) { return nil }
        switch (String(parts[0]), parts.count, fraction) {
        case ("leave-one-out", 1, _): self = .leaveOneOut
        case ("time", 2, let fraction?): self = .time(fraction: fraction)
        case ("random", 2, let fraction?): self = .random(fraction: fraction)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .time(let fraction): "time:\(fraction)"
        case .leaveOneOut: "leave-one-out"
        case .random(let fraction): "random:\(fraction)"
        }
    }

    /// - Parameter seed: of the draw.
    /// - Complexity: O(n).
    public func divide(_ log: ExposureTable, users: Int, seed: UInt64) -> Rows {
        switch self {
        case .time(let fraction):
            let split = TimeSplit(exposures: log, fraction: fraction)
            return Rows(training: Array(split.training), held: split.held.filter { log.isClick($0) })
        case .leaveOneOut: return leaveOneOut(log, users)
        case .random(let fraction): return draw(fraction, log, users, seed)
        }
    }

    private func leaveOneOut(_ log: ExposureTable, _ users: Int) -> Rows {
        var last = [Int](repeating: .max, count: users)
        for row in 0..<log.count where log.isClick(row) { last[Int(log.users[row])] = row }
        return Rows(
            training: (0..<log.count).filter { $0 < last[Int(log.users[$0])] },
            held: last.filter { $0 != .max }.sorted())
    }

    private func draw(_ fraction: Double, _ log: ExposureTable, _ users: Int, _ seed: UInt64) -> Rows {
        var clicks = [[Int]](repeating: [], count: users)
        for row in 0..<log.count where log.isClick(row) { clicks[Int(log.users[row])].append(row) }
        var generator = SeededGenerator(seed: seed)
        var held: [Int] = []
        for rows in clicks {
            let wanted = Int((Double(rows.count) * fraction).rounded())
            held.append(contentsOf: rows.shuffled(using: &generator).prefix(wanted))
        }
        held.sort()
        let isHeld = Set(held)
        return Rows(training: (0..<log.count).filter { !isHeld.contains($0) }, held: held)
    }
}

extension ExposureTable {
    fileprivate func isClick(_ row: Int) -> Bool { Actions(rawValue: actions[row]).contains(.click) }
}
