import NIOCore

/// One call as its server sees it. Confined to its connection's event loop; reused for later calls.
///
/// Life: idle -> headers -> running (handler started) -> answered (status decided) -> closed. The object goes back to the
/// pool when it is closed *and* its handler has returned, whichever comes last.
// Sendable: handlers run on the connection's loop, and writers hop to it.
package final class ServerStream: HTTP2Stream, @unchecked Sendable {
    /// Counts the calls this object has served, so that a writer kept beyond its call cannot touch the next one.
    private(set) var call: UInt64 = 0
    let serverLoop: ServerLoop
    private var peer = ""
    var handler: (any MethodHandler)?
    var metadata = Metadata()
    var hasRequest = false
    var inbox: AnyInbox?
    /// A handler is running or waits for admission: the object is not to be reused.
    var isHandlerRunning = false
    /// The status is decided; nothing that happens later changes it.
    private(set) var isAnswered = false
    /// The answer of a unary call is queued, and goes out once the caller has ended its side: a second message would make
    /// the call an error.
    private var awaitsEnd = false

    private var task: Task<Void, Never>?
    private var hasHeaders = false
    private var status: RPCError?
    private var hasRequestHeaders = false
    private var acceptsOther = false
    private var isPost = false
    private var isGRPC = false
    private var headerError: RPCError?

    var executor: LoopExecutor { serverLoop.executor }

    init(connection: ServerConnection) {
        serverLoop = connection.serverLoop
        super.init(connection: connection)
    }

    /// Prepares the object for the next call, which may be another connection's.
    func recycle(for connection: ServerConnection) {
        super.recycle(for: connection)
        peer = connection.peer
        call &+= 1
        handler = nil
        if !metadata.isEmpty { metadata = Metadata() }
        hasRequest = false
        inbox = nil
        isHandlerRunning = false
        isAnswered = false
        awaitsEnd = false
        task = nil
        hasHeaders = false
        status = nil
        hasRequestHeaders = false
        acceptsOther = false
        isPost = false
        isGRPC = false
        headerError = nil
    }

    func context() -> CallContext {
        CallContext(deadline: deadline, metadata: metadata, peer: peer, method: handler?.path ?? "")
    }

    override var takesMore: Bool { inbox?.takesMore ?? true }

    // MARK: Input

    override func headerReceived(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        switch name.count {
        case 5 where name.equals(":path"): handler = serverLoop.methods.find(value)
        case 7 where name.equals(":method"): isPost = value.equals("POST")
        case 12 where name.equals("content-type"): isGRPC = value.starts(with: "application/grpc")
        case 12 where name.equals("grpc-timeout"): receiveTimeout(value)
        case 13 where name.equals("grpc-encoding"): receiveEncoding(value)
        case 20 where name.equals("grpc-accept-encoding"): receiveAcceptedEncodings(value)
        default:
            if !metadata.receive(name, value) {
                headerError = RPCError(.internal, "metadata '\(name.text)' is not base64")
            }
        }
    }

    private func receiveTimeout(_ value: UnsafeRawBufferPointer) {
        guard let timeout = Timeout.parse(value) else {
            headerError = RPCError(.internal, "grpc-timeout '\(value.text)' is malformed")
            return
        }
        deadline = Deadline(timeout: timeout, now: connection.now)
        connection.watch(deadline)
    }

    private func receiveEncoding(_ value: UnsafeRawBufferPointer) {
        guard let encoding = MessageEncoding(value) else {
            headerError = RPCError(
                .unimplemented, "grpc-encoding '\(value.text)' is not one of \(MessageEncoding.supported)")
            return
        }
        inputEncoding = encoding
        if !acceptsOther { outputEncoding = encoding }
    }

    /// Answers go out in the encoding of the request, if the caller's list of accepted ones, when it sends one, has it.
    private func receiveAcceptedEncodings(_ value: UnsafeRawBufferPointer) {
        acceptsOther = inputEncoding != .identity && !inputEncoding.isListed(in: value)
        if acceptsOther { outputEncoding = .identity }
    }

    override func headersComplete() {
        // A second block is the caller's trailers, in which gRPC has nothing to say.
        guard !hasRequestHeaders else { return }
        hasRequestHeaders = true
        guard isPost, isGRPC else { return refuse(httpStatus: isPost ? "415" : "405") }
        if let headerError { return refuse(headerError) }
        guard let handler else { return refuse(RPCError(.unimplemented, "there is no such method")) }
        guard deadline.instant > connection.now else { return refuse(Self.deadlineError) }
        guard connection.queuedBytes <= connection.limits.queuedBytesMax else {
            return refuse(RPCError(.resourceExhausted, "\(connection.queuedBytes) bytes of earlier answers are unread"))
        }
        do throws(RPCError) {
            try handler.begin(self)
        } catch {
            refuse(error)
        }
    }

    override func messageReceived(_ message: UnsafeRawBufferPointer, wireSize: Int) throws(RPCError) {
        guard !isAnswered else { return }
        try handler?.receive(message, wireSize: wireSize, on: self)
    }

    override func inputEnded() {
        guard !isAnswered else { return }
        guard input.isBetweenMessages else { return refuse(RPCError(.internal, "the call ends inside a message")) }
        do throws(RPCError) {
            try handler?.end(self)
            if awaitsEnd { finish(nil) }
        } catch {
            refuse(error)
        }
    }

    override func inputFailed(_ error: RPCError) {
        finish(error)
        inbox?.finish(error)
        task?.cancel()
    }

    override func expired() {
        // An answer that the caller does not read in time is no use to it.
        if isAnswered || (hasHeaders && !output.isEmpty) {
            connection.session.reset(id, .cancel)
            connection.outputChanged()
        } else {
            finish(Self.deadlineError)
        }
        inbox?.finish(Self.deadlineError)
        task?.cancel()
    }

    override func closed(_ code: UInt32) {
        inbox?.finish(Self.goneError)
        task?.cancel()
    }

    override func submitTrailers() -> Bool {
        guard status != nil else {
            connection.session.submitTrailers(.trailers, id: id)
            return true
        }
        connection.headers.removeAll()
        addStatus()
        connection.session.submitTrailers(&connection.headers, id: id)
        return true
    }

    private static var deadlineError: RPCError { RPCError(.deadlineExceeded, "the deadline has passed") }
    private static var goneError: RPCError { RPCError(.cancelled, "the caller has gone") }
}

// MARK: Handler

extension ServerStream {
    /// To be called before a handler's task is made.
    func handlerStarts() {
        isHandlerRunning = true
    }

    /// Keeps the task of a handler that has suspended, so that it can be cancelled.
    func handlerStarted(_ task: Task<Void, Never>) {
        // One that did not suspend has ended by now, and its object serves no other call before this one is closed.
        if isHandlerRunning { self.task = task }
    }

    /// To be called by the handler's task, last.
    func handlerEnded() {
        isHandlerRunning = false
        task = nil
        if !isOpen { serverLoop.reuse(self) }
        serverLoop.admission.leave()
    }

    /// Whether a call that waited for admission is still worth starting.
    func mayStart() -> Bool {
        if isOpen, !isAnswered, deadline.instant <= .now() { finish(Self.deadlineError) }
        if isOpen, !isAnswered { return true }
        isHandlerRunning = false
        if !isOpen { serverLoop.reuse(self) }
        return false
    }
}

// MARK: Output

extension ServerStream {
    /// Answers a unary call.
    func finish(with response: some RPCMessage) {
        guard isOpen, !isAnswered else { return }
        do throws(RPCError) {
            try enqueue(response)
        } catch {
            return finish(error)
        }
        if isInputComplete { finish(nil) } else { awaitsEnd = true }
    }

    /// Decides the status; nil is OK. Later calls change nothing.
    func finish(_ error: RPCError?) {
        guard isOpen, !isAnswered else { return }
        isAnswered = true
        isOutputComplete = true
        status = error
        if !hasHeaders {
            if let error {
                dropOutput()
                sendTrailersOnly(error)
            } else {
                sendHeaders()
            }
        }
        outputChanged()
    }

    /// Queues a message of a streaming call; false when the queue is then too long.
    func write(_ message: some RPCMessage, call: UInt64) throws(RPCError) -> Bool {
        guard call == self.call, isOpen, !isAnswered else { throw Self.goneError }
        try enqueue(message)
        if !hasHeaders { sendHeaders() }
        outputChanged()
        return output.count <= connection.limits.outboundQueueBytesMax
    }

    /// Calls `body` once the queue is short again or the call is over.
    func waitForRoom(call: UInt64, _ body: @escaping (Result<Void, RPCError>) -> Void) {
        guard call == self.call, isOpen else { return body(.failure(Self.goneError)) }
        let others = onRoom
        onRoom = { [unowned self] in
            others?()
            body(isOpen && !isAnswered ? .success(()) : .failure(Self.goneError))
        }
    }

    private func sendHeaders() {
        hasHeaders = true
        guard outputEncoding != .identity else { return connection.session.submitResponse(.response, stream: self) }
        connection.headers.removeAll()
        connection.headers.add(":status", "200")
        connection.headers.add("content-type", "application/grpc")
        switch outputEncoding {
        case .identity: break
        case .gzip: connection.headers.add("grpc-encoding", "gzip")
        case .zstd: connection.headers.add("grpc-encoding", "zstd")
        }
        connection.session.submitResponse(&connection.headers, stream: self)
    }

    private func sendTrailersOnly(_ error: RPCError) {
        hasHeaders = true
        connection.headers.removeAll()
        connection.headers.add(":status", "200")
        connection.headers.add("content-type", "application/grpc")
        if error.code == .unimplemented { connection.headers.add("grpc-accept-encoding", MessageEncoding.supported) }
        addStatus()
        connection.session.submitResponse(&connection.headers, id: id)
    }

    private func addStatus() {
        guard let status else { return connection.headers.add("grpc-status", "0") }
        connection.headers.add("grpc-status", String(status.code.rawValue).utf8)
        // A message longer than this says nothing more, and must fit the caller's header limit.
        let text = PercentEncoding.encode(status.message)
        connection.headers.add("grpc-message", text.prefix(4096), isIndexed: false)
        connection.headers.add(status.metadata)
    }

    /// Answers what is not gRPC in HTTP's own terms.
    private func refuse(httpStatus: StaticString) {
        ignoresInput = true
        isAnswered = true
        isOutputComplete = true
        hasHeaders = true
        connection.headers.removeAll()
        connection.headers.add(":status", httpStatus)
        connection.session.submitResponse(&connection.headers, id: id)
        outputChanged()
    }
}
