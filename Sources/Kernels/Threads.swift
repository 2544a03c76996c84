import Dispatch

/// How many threads a computation may use; work is divided into contiguous ranges.
public struct Threads: Sendable, Hashable {
    public let count: Int

    public static let one = Threads(1)

    public init(_ count: Int) {
        precondition(count > 0, "at least one thread")
        self.count = count
    }

    /// Runs `body` on ranges that cover `0..<total` without overlap, concurrently, and returns when all are done.
    ///
    /// - Parameters:
    ///   - grain: no range is made smaller than this: the amount of work that pays for waking a thread.
    ///   - body: writes only to what belongs to its range.
    public func divide(_ total: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        let parts = min(count, max(1, total / max(1, grain)))
        guard parts > 1 else {
            if total > 0 { body(0..<total) }
            return
        }
        withoutActuallyEscaping(body) { body in
            // Safe: every part runs once, on its own range, before this returns.
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: parts) { part in
                let range = total * part / parts..<total * (part + 1) / parts
                if !range.isEmpty { body(range) }
            }
        }
    }
}
