package import NIOCore

/// Whoever moves a connection's bytes.
package protocol HTTP2ConnectionOwner: AnyObject {
    /// There is something to send.
    func connectionHasOutput()
    /// The connection is no longer wanted.
    func close()
}

/// One side of an HTTP/2 connection that carries calls, without input or output: bytes go in by `receive`, come out by
/// `send`, and time comes in with both. Confined to one event loop.
///
/// Life: open -> draining (GOAWAY sent or received: calls in flight finish) -> finished (`isFinished`: close it).
package class HTTP2Connection {
    package let limits: HTTP2Limits
    package weak var owner: (any HTTP2ConnectionOwner)?

    let session: HTTP2Session
    let codec: MessageCodec
    /// Streams the library knows, in no order.
    var open: [HTTP2Stream] = []
    /// The stream whose header block is being received.
    // Held by `open`, and cleared when the stream leaves it.
    private var headerStream: Unmanaged<HTTP2Stream>?
    var headers = HeaderList()
    var health: ConnectionHealth
    private(set) var now: NIODeadline
    private(set) var nextExpiry: NIODeadline = .distantFuture

    private var flood: FloodGuard
    private var headerBytes = 0
    private var heldBytes = 0
    /// Bytes of messages that wait to be sent, over all streams.
    final var queuedBytes = 0
    private var isInside = false
    private var isDirty = false
    private var target = ByteBuffer()
    private var targetLimit = 0
    private var isFull = false
    private var isBroken = false

    init(
        role: HTTP2Session.Role, limits: HTTP2Limits, timing: ConnectionTiming, codec: MessageCodec, now: NIODeadline
    ) throws(RPCError) {
        self.limits = limits
        self.codec = codec
        self.now = now
        health = ConnectionHealth(timing, now: now)
        flood = FloodGuard(limits)
        session = try HTTP2Session(role: role)
        session.bind(to: self)
        session.submitSettings(limits, role: role)
    }

    // MARK: Bytes in and out

    /// Processes what the peer sent; false when the connection is beyond repair and must be dropped.
    package func receive(_ bytes: UnsafeRawBufferPointer, now: NIODeadline) -> Bool {
        self.now = now
        health.received(now: now)
        isInside = true
        defer { isInside = false }
        if !session.receive(bytes) { isBroken = true }
        if !flood.received(bytes.count, now: now) { session.terminate(.enhanceYourCalm) }
        return !isBroken
    }

    /// Appends what is to be sent, about `limit` bytes at most; true when there may be more.
    package func send(into buffer: inout ByteBuffer, limit: Int, now: NIODeadline) -> Bool {
        guard !isBroken else { return false }
        self.now = now
        isInside = true
        isDirty = false
        isFull = false
        targetLimit = limit
        swap(&target, &buffer)
        defer {
            swap(&target, &buffer)
            isInside = false
        }
        while target.readableBytes < limit {
            // DATA frames go to the target by `sendData` while the library looks for bytes of its own.
            guard let bytes = session.send() else { return isFull }
            target.writeBytes(bytes)
        }
        return true
    }

    /// Both sides have said all they wanted: the connection is to be closed.
    package var isFinished: Bool { isBroken || session.wantsNothing }

    /// Tells the owner, once per flush, that there is something to send.
    final func outputChanged() {
        guard !isInside, !isDirty else { return }
        isDirty = true
        owner?.connectionHasOutput()
    }

    /// Ends every stream: the bytes no longer flow.
    package func connectionLost() {
        isBroken = true
        isInside = true
        while let stream = open.last { forget(stream, HTTP2ErrorCode.cancel.rawValue) }
    }

    // MARK: Time

    /// When `advance` next has something to do.
    package var nextEvent: NIODeadline { min(nextExpiry, health.nextEvent) }

    /// Does what the clock asks for: deadlines, keep-alive, idleness and age. False when the peer is dead.
    package func advance(to now: NIODeadline) -> Bool {
        self.now = now
        if now >= nextExpiry { expireStreams() }
        switch health.advance(to: now) {
        case .none: break
        case .ping:
            session.submitPing()
            outputChanged()
        case .drain: drain()
        case .dead: isBroken = true
        }
        return !isBroken
    }

    /// Lets calls in flight finish and takes no new ones.
    package func drain() {}

    private func expireStreams() {
        nextExpiry = .distantFuture
        for stream in open.reversed() where stream.isOpen {
            if stream.deadline.instant <= now {
                stream.expired()
            } else {
                nextExpiry = min(nextExpiry, stream.deadline.instant)
            }
        }
    }

    // MARK: Events that the sides override

    func requestBegan(_ id: Int32) {}
    func goAwayReceived(lastStream: Int32) {}
    func pingAcknowledged() {}
    func settingsReceived() {}
    func streamReleased(_ stream: HTTP2Stream) {}
    func becameIdle() {}
}

// MARK: Events of the session

extension HTTP2Connection {
    final func frameBegan(_ frame: FrameHeader) -> Bool {
        flood.frameBegan(length: frame.length)
        let isHarmless =
            switch frame.type {
            case FrameType.continuation: flood.continuationReceived()
            case FrameType.reset: flood.resetReceived(now: now)
            case FrameType.data: frame.length > 0 || frame.endsStream || flood.controlFrameReceived(now: now)
            case FrameType.headers, FrameType.windowUpdate, FrameType.goAway: true
            default: flood.controlFrameReceived(now: now)
            }
        if !isHarmless { session.terminate(.enhanceYourCalm) }
        return isHarmless || frame.type != FrameType.continuation
    }

    final func headersBegan(_ id: Int32, isRequest: Bool) {
        flood.headersBegan()
        headerBytes = 0
        if isRequest { requestBegan(id) }
        headerStream = session.stream(id).map { Unmanaged.passUnretained($0) }
    }

    final func headerReceived(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard let headerStream else { return }
        headerBytes += name.count + value.count + 32
        let isAllowed = headerBytes <= limits.headerListBytesMax
        headerStream._withUnsafeGuaranteedRef { stream in
            guard !stream.ignoresInput else { return }
            if isAllowed {
                stream.headerReceived(name, value)
            } else {
                stream.refuse(headersTooLarge)
            }
        }
    }

    private var headersTooLarge: RPCError {
        RPCError(.resourceExhausted, "headers are larger than the limit of \(limits.headerListBytesMax) bytes")
    }

    final func frameReceived(_ frame: FrameHeader, lastStream: Int32) {
        switch frame.type {
        case FrameType.headers:
            guard let stream = headerStream?.takeUnretainedValue() else { return }
            headerStream = nil
            if !stream.ignoresInput { stream.headersComplete() }
            if frame.endsStream { endInput(stream) }
        case FrameType.data:
            if frame.endsStream { session.stream(frame.stream).map(endInput) }
        case FrameType.ping where frame.isAcknowledgement:
            health.pingAcknowledged()
            pingAcknowledged()
        case FrameType.settings where !frame.isAcknowledgement: settingsReceived()
        case FrameType.goAway: goAwayReceived(lastStream: lastStream)
        default: break
        }
    }

    private func endInput(_ stream: HTTP2Stream) {
        stream.isInputComplete = true
        if !stream.ignoresInput { stream.inputEnded() }
    }

    final func dataReceived(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
        session.consumeConnection(bytes.count)
        guard let stream = session.stream(id) else { return session.consumeStream(id, bytes.count) }
        stream.heldWindow += bytes.count
        if !stream.ignoresInput {
            let heldBefore = stream.input.held
            do throws(RPCError) {
                try stream.receive(bytes)
            } catch {
                stream.refuse(error)
            }
            inputHeld(more: stream.input.held - heldBefore, by: stream)
        }
        releaseWindow(of: stream)
    }

    /// Lets the peer send as much as it has sent, unless the reader is behind.
    final func releaseWindow(of stream: HTTP2Stream) {
        guard stream.isOpen, stream.heldWindow > 0, stream.takesMore else { return }
        session.consumeStream(stream.id, stream.heldWindow)
        stream.heldWindow = 0
    }

    /// Counts bytes of unfinished messages.
    private func inputHeld(more count: Int, by stream: HTTP2Stream) {
        heldBytes += count
        guard count > 0, heldBytes > limits.bufferedBytesMax else { return }
        heldBytes -= stream.input.held
        stream.refuse(
            RPCError(
                .resourceExhausted, "unfinished messages on this connection exceed \(limits.bufferedBytesMax) bytes"))
    }

    /// Copies a DATA frame's payload; false when enough is waiting to be written, to be called again later.
    final func sendData(_ stream: HTTP2Stream, frameHeader: UnsafeRawBufferPointer, count: Int) -> Bool {
        guard target.readableBytes < targetLimit else {
            isFull = true
            return false
        }
        target.writeBytes(frameHeader)
        target.writeBytes(UnsafeRawBufferPointer(rebasing: stream.output.readable[..<count]))
        stream.output.consume(count)
        queuedBytes -= count
        if let onRoom = stream.onRoom, stream.output.count <= limits.outboundQueueBytesMax / 2 {
            stream.onRoom = nil
            onRoom()
        }
        return true
    }

    /// A side that has said all it will say does not want to hear more: the rest of the input is called off.
    final func headersSent(_ frame: FrameHeader) {
        guard frame.endsStream, let stream = session.stream(frame.stream), !stream.isInputComplete else { return }
        session.reset(frame.stream, .noError)
    }

    final func streamClosed(_ id: Int32, _ code: UInt32) {
        guard let stream = session.stream(id) else { return }
        if code == HTTP2ErrorCode.noError.rawValue { flood.streamFinished() }
        forget(stream, code)
    }
}

// MARK: Open streams

extension HTTP2Connection {
    final func remember(_ stream: HTTP2Stream) {
        if open.isEmpty { health.becameBusy() }
        queuedBytes += stream.output.count
        stream.position = open.count
        open.append(stream)
    }

    /// To be called once a stream's deadline is known.
    final func watch(_ deadline: Deadline) {
        nextExpiry = min(nextExpiry, deadline.instant)
    }

    fileprivate final func forget(_ stream: HTTP2Stream, _ code: UInt32) {
        guard stream.isOpen else { return }
        if !stream.isInputComplete { flood.streamCut() }
        heldBytes -= stream.input.held
        queuedBytes -= stream.output.count
        let last = open.removeLast()
        if last !== stream {
            open[stream.position] = last
            last.position = stream.position
        }
        stream.position = -1
        if headerStream?.toOpaque() == Unmanaged.passUnretained(stream).toOpaque() { headerStream = nil }
        let onRoom = stream.onRoom
        stream.onRoom = nil
        stream.closed(code)
        onRoom?()
        streamReleased(stream)
        if open.isEmpty {
            health.becameIdle(now: now)
            becameIdle()
        }
    }
}
