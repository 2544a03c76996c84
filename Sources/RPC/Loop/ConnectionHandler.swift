import NIOCore

/// Moves the bytes of one HTTP/2 connection, of either side, through a channel: reads go in, and what a batch of reads
/// and handlers produced goes out in as few writes as the channel takes. Confined to the channel's loop.
final class ConnectionHandler<Connection: HTTP2Connection>: ChannelInboundHandler, HTTP2ConnectionOwner, Flushable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes per write: what a socket's buffer takes at once by default, more or less.
    private let writeSize = 64 << 10
    /// How long a peer may take to read the last bytes of a finished connection.
    private let lingerTime: TimeAmount = .seconds(5)

    let connection: Connection
    private let executor: LoopExecutor
    private let onClose: (Connection) -> Void
    private var context: ChannelHandlerContext?
    private var buffer = ByteBuffer()
    private var isReading = false
    private var isClosing = false
    private var timer: Scheduled<Void>?
    private var timerTime: NIODeadline = .distantFuture

    init(_ connection: Connection, executor: LoopExecutor, onClose: @escaping (Connection) -> Void) {
        self.connection = connection
        self.executor = executor
        self.onClose = onClose
        connection.owner = self
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { flush() }
    }

    // A channel whose peer was gone before it became active is removed without ever becoming inactive.
    func handlerRemoved(context: ChannelHandlerContext) {
        ended()
    }

    func channelActive(context: ChannelHandlerContext) {
        flush()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        let bytes = unwrapInboundIn(data)
        let isAlive = executor.batch {
            bytes.withUnsafeReadableBytes { connection.receive($0, now: .now()) }
        }
        if !isAlive { isReading = false }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { flush() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    private func ended() {
        guard context != nil else { return }
        context = nil
        timer?.cancel()
        timer = nil
        executor.batch { onClose(connection) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: Connection

    func connectionHasOutput() {
        // The end of the read flushes.
        if !isReading { executor.flushLater(self) }
    }

    func close() {
        context?.close(promise: nil)
    }

    func flush() {
        guard let context else { return }
        var hasMore = true
        while hasMore && context.channel.isWritable {
            buffer.clear()
            hasMore = connection.send(into: &buffer, limit: writeSize, now: .now())
            if buffer.readableBytes == 0 { break }
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        }
        if connection.isFinished {
            closeAfterWrites(context)
        } else {
            watchClock()
        }
    }

    /// Closes once the peer has been sent what was written before: closing at once would cut the last answer.
    private func closeAfterWrites(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.close() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
        executor.loop.assumeIsolated().scheduleTask(in: lingerTime) { self.close() }
    }

    // MARK: Time

    /// Sets the timer when the next event comes before the one it is set for.
    private func watchClock() {
        let next = connection.nextEvent
        guard next < timerTime else { return }
        timer?.cancel()
        timerTime = next
        timer = executor.loop.assumeIsolated().scheduleTask(deadline: next) {
            self.timer = nil
            self.timerTime = .distantFuture
            guard self.context != nil else { return }
            if self.executor.batch({ self.connection.advance(to: .now()) }) {
                self.flush()
            } else {
                self.close()
            }
        }
    }
}
