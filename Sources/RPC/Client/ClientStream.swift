/// Who waits for what a stream brings. Called on the connection's loop; `ended` is the last call.
protocol ClientStreamDelegate: AnyObject {
    var takesMore: Bool { get }
    func received(_ message: UnsafeRawBufferPointer, wireSize: Int) throws(RPCError)
    func ended(_ end: StreamEnd)
}

/// How a stream ended.
struct StreamEnd {
    /// Nil for OK.
    var error: RPCError?
    /// The server had begun to answer: the call must not be sent again.
    var hasResponse: Bool
}

/// One attempt of a call as its client sees it. Confined to its connection's event loop; reused for later calls.
final class ClientStream: HTTP2Stream {
    // Held until the end: the stream is what keeps its attempt alive.
    var delegate: (any ClientStreamDelegate)?
    private var httpStatus = 0
    private var status: Int?
    private var statusMessage = ""
    private var metadata = Metadata()
    private var hasResponse = false
    private var failure: RPCError?

    func recycle(for connection: ClientConnection) {
        super.recycle(for: connection)
        delegate = nil
        httpStatus = 0
        status = nil
        statusMessage = ""
        if !metadata.isEmpty { metadata = Metadata() }
        hasResponse = false
        failure = nil
    }

    override var takesMore: Bool { delegate?.takesMore ?? true }

    /// Ends the call from this side; the delegate hears nothing more.
    func cancel() {
        delegate = nil
        abandon()
    }

    private func abandon() {
        guard isOpen else { return }
        ignoresInput = true
        connection.session.reset(id, .cancel)
        connection.outputChanged()
    }

    // MARK: Input

    override func headerReceived(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        switch name.count {
        case 7 where name.equals(":status"): httpStatus = value.decimal ?? 0
        case 11 where name.equals("grpc-status"): status = value.decimal ?? RPCError.Code.unknown.rawValue
        case 12 where name.equals("grpc-message"): statusMessage = PercentEncoding.decode(value)
        case 13 where name.equals("grpc-encoding"): receiveEncoding(value)
        default:
            if !metadata.receive(name, value) {
                failure = RPCError(.internal, "metadata '\(name.text)' of the answer is not base64")
            }
        }
    }

    private func receiveEncoding(_ value: UnsafeRawBufferPointer) {
        guard let encoding = MessageEncoding(value) else {
            failure = RPCError(.internal, "the answer's grpc-encoding '\(value.text)' was not asked for")
            return
        }
        inputEncoding = encoding
    }

    override func headersComplete() {
        if let failure { return refuse(failure) }
        if status == nil { hasResponse = hasResponse || httpStatus == 200 }
    }

    override func messageReceived(_ message: UnsafeRawBufferPointer, wireSize: Int) throws(RPCError) {
        try delegate?.received(message, wireSize: wireSize)
    }

    override func inputFailed(_ error: RPCError) {
        end(error)
        abandon()
    }

    override func expired() {
        end(RPCError(.deadlineExceeded, "the deadline has passed"))
        abandon()
    }

    override func closed(_ code: UInt32) {
        end(outcome(code))
    }

    private func end(_ error: RPCError?) {
        guard let delegate else { return }
        self.delegate = nil
        delegate.ended(StreamEnd(error: error, hasResponse: hasResponse))
    }

    // MARK: Outcome

    private func outcome(_ code: UInt32) -> RPCError? {
        let connection = connection as? ClientConnection
        let isCancelled =
            status.map { $0 == RPCError.Code.cancelled.rawValue } ?? (code == HTTP2ErrorCode.cancel.rawValue)
        // gRPC C++ and Python cancel calls that come while they shut down: nothing the caller did.
        if isCancelled, !hasResponse, connection?.isGoingAway == true, connection?.lostReason == nil {
            return RPCError(.unavailable, "the server cancelled the call because it is going away")
        }
        if let status {
            guard status != 0 else {
                return input.isBetweenMessages ? nil : RPCError(.internal, "the answer ends inside a message")
            }
            return RPCError(RPCError.Code(rawValue: status) ?? .unknown, statusMessage, metadata: metadata)
        }
        if let reason = connection?.lostReason { return reason }
        if httpStatus != 0 && httpStatus != 200 {
            return RPCError(RPCError.Code(httpStatus: httpStatus), "the server answered HTTP status \(httpStatus)")
        }
        return Self.error(ofReset: code)
    }

    /// grpc/doc/PROTOCOL-HTTP2.md, "Errors".
    private static func error(ofReset code: UInt32) -> RPCError {
        switch HTTP2ErrorCode(rawValue: code) {
        case .refusedStream: RPCError(.unavailable, "the server refused the stream")
        case .cancel: RPCError(.cancelled, "the server cancelled the call")
        case .enhanceYourCalm: RPCError(.resourceExhausted, "the server asks for fewer calls")
        case .inadequateSecurity: RPCError(.permissionDenied, "the server asks for a safer connection")
        case .noError: RPCError(.internal, "the answer has no status")
        default: RPCError(.internal, "the server reset the stream with HTTP/2 error \(code)")
        }
    }
}
