import Foundation
import Synchronization

/// Tells how far a long step is: one line that is redrawn on a terminal, a line every few seconds elsewhere.
public final class TrainingProgress: Sendable {
    private struct State {
        var step = ""
        var started = ContinuousClock.now
        var lastShown: ContinuousClock.Instant?
        var isLineOpen = false
    }

    private static let width = 24
    private let isTerminal: Bool
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - isTerminal: Redraw one line, rather than print a line at a time.
    ///   - write: Takes text as it is, line ends included.
    public init(isTerminal: Bool, write: @escaping @Sendable (String) -> Void) {
        self.isTerminal = isTerminal
        self.write = write
    }

    /// Progress on standard error.
    public static func standardError() -> TrainingProgress {
        TrainingProgress(isTerminal: isatty(STDERR_FILENO) == 1) { FileHandle.standardError.write(Data($0.utf8)) }
    }

    /// Says nothing.
    public static let silent = TrainingProgress(isTerminal: false) { _ in }

    /// Begins a step.
    public func begin(_ step: String) {
        state.withLock {
            $0.step = step
            $0.started = .now
            $0.lastShown = nil
        }
    }

    /// Says how far the step is; most calls print nothing.
    ///
    /// - Parameters:
    ///   - done: Samples of `total` worked through.
    ///   - loss: Mean loss of late.
    public func update(done: Int, of total: Int, loss: Float? = nil) {
        update(done: done, of: total, loss: loss, unit: "samples")
    }

    private func update(done: Int, of total: Int, loss: Float? = nil, unit: String?) {
        let line: String? = state.withLock { state in
            let now = ContinuousClock.now
            let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
            guard now - (state.lastShown ?? state.started) >= interval else { return nil }
            state.lastShown = now
            state.isLineOpen = isTerminal
            return Self.line(state.step, done: done, of: total, loss: loss, unit: unit, elapsed: now - state.started)
        }
        if let line { write(isTerminal ? "\r\u{1B}[K\(line)" : "\(line)\n") }
    }

    /// Says what share of the step is done, 0...1.
    public func update(share: Double) {
        update(done: Int(share * 1_000), of: 1_000, unit: nil)
    }

    /// Ends the step with what came of it.
    public func end(_ result: String) {
        let (step, elapsed, wasOpen) = state.withLock { state in
            defer { state.isLineOpen = false }
            return (state.step, ContinuousClock.now - state.started, state.isLineOpen)
        }
        write("\(wasOpen ? "\r\u{1B}[K" : "")\(step): \(result) (\(Self.seconds(elapsed)))\n")
    }

    /// `pre-ranker [######------] 52 %, loss 0.5312, 81234 samples/s, 12 s left`
    static func line(
        _ step: String, done: Int, of total: Int, loss: Float?, unit: String? = "samples", elapsed: Duration
    ) -> String {
        let share = total > 0 ? min(max(Double(done) / Double(total), 0), 1) : 0
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        var parts = ["\(step) [\(bar)] \(Int(share * 100)) %"]
        if let loss { parts.append("loss " + String(format: "%.4f", loss)) }
        let passed = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        if passed > 0, done > 0 {
            let rate = Double(done) / passed
            if let unit { parts.append("\(Int(rate)) \(unit)/s") }
            parts.append("\(Int((Double(max(total - done, 0)) / rate).rounded(.up))) s left")
        }
        return parts.joined(separator: ", ")
    }

    private static func seconds(_ duration: Duration) -> String {
        let value = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        return String(format: "%.1f s", value)
    }
}
