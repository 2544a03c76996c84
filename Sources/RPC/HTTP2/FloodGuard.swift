import NIOCore

/// A number of permits that refills with time.
struct TokenBucket: Sendable {
    private let capacity: Double
    private let perSecond: Double
    private var tokens: Double
    private var refilled: NIODeadline?

    init(capacity: Int, perSecond: Int) {
        self.capacity = Double(capacity)
        self.perSecond = Double(perSecond)
        tokens = Double(capacity)
    }

    mutating func add(_ count: Double) {
        tokens = min(capacity, tokens + count)
    }

    /// Takes one permit; false when there is none.
    mutating func take(now: NIODeadline) -> Bool {
        if let refilled { add(Double((now - refilled).nanoseconds) / 1e9 * perSecond) }
        refilled = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}

/// Notices peers whose frames cost more than they are worth. Counting is ours, because the library's own limits differ by
/// version and take no account of work that was let finish.
struct FloodGuard: Sendable {
    private var resets: TokenBucket
    private var controls: TokenBucket
    private let continuationsMax: Int
    private var continuations = 0

    init(_ limits: HTTP2Limits) {
        resets = TokenBucket(capacity: limits.resetBurst, perSecond: limits.resetsPerSecond)
        controls = TokenBucket(capacity: limits.controlFrameBurst, perSecond: limits.controlFramesPerSecond)
        continuationsMax = limits.continuationFramesMax
    }

    mutating func streamFinished() {
        resets.add(1)
    }

    /// Each returns false when the connection is to be closed.
    mutating func resetReceived(now: NIODeadline) -> Bool {
        resets.take(now: now)
    }

    mutating func controlFrameReceived(now: NIODeadline) -> Bool {
        controls.take(now: now)
    }

    mutating func headersBegan() {
        continuations = 0
    }

    mutating func continuationReceived() -> Bool {
        continuations += 1
        return continuations <= continuationsMax
    }
}
