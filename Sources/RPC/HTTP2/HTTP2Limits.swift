/// What one HTTP/2 connection may cost this side. Every number bounds memory or work that a peer could otherwise ask for.
public struct HTTP2Limits: Sendable, Hashable {
    /// Largest message after decompression. 4 MiB is gRPC's own default.
    public var messageBytesMax = 4 << 20
    /// Streams a peer may have open at a time: an orchestrator's burst fits, and 1024 idle streams are half a megabyte.
    public var concurrentStreamsMax = 1024
    /// Sum of names, values and 32 bytes per header of one block (RFC 9113, 6.5.2). gRPC's default is 8 KiB.
    public var headerListBytesMax = 16 << 10
    /// CONTINUATION frames in one header block: with frames of 16 KiB, no honest block needs more.
    public var continuationFramesMax = 8
    /// Received bytes of unfinished messages over all streams; beyond it, the stream that asks for more is refused.
    public var bufferedBytesMax = 64 << 20
    /// Bytes a peer may send on one stream before the handler has taken them: 1 MiB fills 1 Gbit/s at 8 ms.
    public var streamWindow = 1 << 20
    /// The same over all streams of the connection.
    public var connectionWindow = 8 << 20
    /// Bytes of messages waiting to be sent on one stream, above which a streaming writer is suspended.
    public var outboundQueueBytesMax = 256 << 10
    /// Bytes of answers waiting to be sent over all streams, above which new calls are refused: the caller does not read.
    public var queuedBytesMax = 64 << 20
    /// Resets a peer may send at once beyond the calls it lets finish, and how many more per second: hedging clients reset
    /// a few of the streams they open, rapid-reset attackers (CVE-2023-44487) all of them.
    public var resetBurst = 1000
    public var resetsPerSecond = 100
    /// PING, SETTINGS, PRIORITY and empty DATA frames at once and per second: work that carries nothing.
    public var controlFrameBurst = 1000
    public var controlFramesPerSecond = 100

    public init() {}
}
