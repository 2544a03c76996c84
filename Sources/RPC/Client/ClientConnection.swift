import NIOCore

/// What a request says beside its message.
struct RequestHead {
    var path: String
    var authority: String
    var isEncrypted: Bool
    var deadline: Deadline
    var metadata: Metadata
    var encoding: MessageEncoding
}

/// Told what becomes of a client's connection.
protocol ClientConnectionDelegate: AnyObject {
    /// The server has answered: calls can be sent.
    func connectionReady(_ connection: ClientConnection)
    /// No further calls can be sent; those in flight may still be answered.
    func connectionClosing(_ connection: ClientConnection)
}

/// The client's side of one connection.
package final class ClientConnection: HTTP2Connection {
    weak var delegate: (any ClientConnectionDelegate)?
    /// Why calls in flight fail when the connection is lost.
    private(set) var lostReason: RPCError?
    private var pool: [ClientStream] = []
    private(set) var isReady = false
    /// The server has said that it takes no further calls.
    private(set) var isGoingAway = false
    /// Calls until this side goes away.
    private var callsLeft: Int

    init(limits: HTTP2Limits, timing: ConnectionTiming, codec: MessageCodec, now: NIODeadline) throws(RPCError) {
        callsLeft = timing.callsMax
        try super.init(role: .client, limits: limits, timing: timing, codec: codec, now: now)
    }

    /// Sends a unary or server-streaming request.
    func start(
        _ head: RequestHead, _ message: some RPCMessage, delegate: any ClientStreamDelegate
    ) throws(RPCError) -> ClientStream {
        let stream = pool.popLast() ?? ClientStream(connection: self)
        stream.recycle(for: self)
        stream.outputEncoding = head.encoding
        stream.deadline = head.deadline
        try stream.enqueue(message)
        stream.isOutputComplete = true
        write(head)
        guard let id = session.submitRequest(&headers, stream: stream) else {
            throw RPCError(.unavailable, "the connection takes no more calls")
        }
        stream.id = id
        stream.delegate = delegate
        remember(stream)
        watch(head.deadline)
        outputChanged()
        callsLeft -= 1
        if callsLeft == 0 { drain() }
        return stream
    }

    private func write(_ head: RequestHead) {
        headers.removeAll()
        headers.add(":method", "POST")
        if head.isEncrypted { headers.add(":scheme", "https") } else { headers.add(":scheme", "http") }
        headers.add(":path", head.path.utf8)
        headers.add(":authority", head.authority.utf8)
        headers.add("content-type", "application/grpc")
        headers.add("te", "trailers")
        headers.add("grpc-accept-encoding", MessageEncoding.supported)
        switch head.encoding {
        case .identity: break
        case .gzip: headers.add("grpc-encoding", "gzip")
        case .zstd: headers.add("grpc-encoding", "zstd")
        }
        if head.deadline != .distantFuture {
            withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { text in
                let count = Timeout.format(head.deadline.instant - .now(), into: text)
                headers.add("grpc-timeout", text[..<count], isIndexed: false)
            }
        }
        if !head.metadata.isEmpty { headers.add(head.metadata) }
    }

    /// Ends the connection; calls in flight fail with `reason`.
    package func connectionLost(_ reason: RPCError) {
        guard lostReason == nil else { return }
        lostReason = reason
        connectionLost()
        delegate?.connectionClosing(self)
    }

    /// Closes the connection at once.
    func close(_ reason: RPCError) {
        connectionLost(reason)
        owner?.close()
    }

    override package func drain() {
        delegate?.connectionClosing(self)
        session.submitGoAway()
        outputChanged()
    }

    override func settingsReceived() {
        guard !isReady else { return }
        isReady = true
        delegate?.connectionReady(self)
    }

    override func goAwayReceived(lastStream: Int32) {
        isGoingAway = true
        delegate?.connectionClosing(self)
    }

    override func streamReleased(_ stream: HTTP2Stream) {
        // As many as a server allows at a time by default: beyond that, memory serves better elsewhere.
        if let stream = stream as? ClientStream, pool.count < limits.concurrentStreamsMax { pool.append(stream) }
    }
}
