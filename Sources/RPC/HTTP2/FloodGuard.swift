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

    /// Takes `count` permits; false when there are fewer.
    mutating func take(_ count: Double = 1, now: NIODeadline) -> Bool {
        if let refilled { add(Double((now - refilled).nanoseconds) / 1e9 * perSecond) }
        refilled = now
        guard tokens >= count else { return false }
        tokens -= count
        return true
    }
}

/// Notices peers whose frames cost more than they are worth. Counting is ours, because the library's own limits differ by
/// version and take no account of work that was let finish.
struct FloodGuard: Sendable {
    private var resets: TokenBucket
    private var controls: TokenBucket
    /// Data for streams that are no more.
    private var lateBytes: TokenBucket
    /// Bytes received that belong to no frame that the library told of: it discards late data without a word.
    private var untold = 0
    /// What is untold for good reason: the client's preface, and the part of a frame's header that has come.
    private static let untoldAllowed = 24 + 8
    private let streamWindow: Int
    private let continuationsMax: Int
    private var continuations = 0

    init(_ limits: HTTP2Limits) {
        resets = TokenBucket(capacity: limits.resetBurst, perSecond: limits.resetsPerSecond)
        controls = TokenBucket(capacity: limits.controlFrameBurst, perSecond: limits.controlFramesPerSecond)
        lateBytes = TokenBucket(capacity: limits.connectionWindow, perSecond: limits.streamWindow)
        streamWindow = limits.streamWindow
        continuationsMax = limits.continuationFramesMax
    }

    mutating func streamFinished() {
        resets.add(1)
    }

    mutating func frameBegan(length: Int) {
        untold -= 9 + length
    }

    /// A stream ended before its sender was done: up to a window of its data may be under way.
    mutating func streamCut() {
        lateBytes.add(Double(streamWindow))
    }

    /// Each returns false when the connection is to be closed.
    mutating func resetReceived(now: NIODeadline) -> Bool {
        resets.take(now: now)
    }

    mutating func controlFrameReceived(now: NIODeadline) -> Bool {
        controls.take(now: now)
    }

    /// To be told of all input, once the library has processed it.
    mutating func received(_ count: Int, now: NIODeadline) -> Bool {
        untold += count
        let late = untold - Self.untoldAllowed
        guard late > 0 else { return true }
        untold -= late
        return lateBytes.take(Double(late), now: now)
    }

    mutating func headersBegan() {
        continuations = 0
    }

    mutating func continuationReceived() -> Bool {
        continuations += 1
        return continuations <= continuationsMax
    }
}
