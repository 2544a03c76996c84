import Glibc
import Synchronization

/// A line on standard error that tells how far a long step has come; silent when that is no terminal.
final class ProgressLine: Sendable {
    private static let interval = Duration.milliseconds(100)

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let lastShown = Mutex<ContinuousClock.Instant?>(nil)

    /// Shows the text and a bar, at most ten times a second.
    func show(_ text: String, fraction: Double) {
        guard isTerminal else { return }
        let now = ContinuousClock.now
        let isDue = lastShown.withLock { last in
            if let last, now - last < Self.interval, fraction < 1 { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let width = 30
        let filled = Int(Double(width) * min(max(fraction, 0), 1))
        let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
        printToStandardError("\r[\(bar)] \(Int(fraction * 100))% \(text)\u{1B}[K")
    }

    /// Clears the line.
    func finish() {
        if isTerminal { printToStandardError("\r\u{1B}[K") }
    }
}

/// What cannot be written to standard error is lost: there is no one left to tell.
func printToStandardError(_ text: String) {
    var text = text
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
