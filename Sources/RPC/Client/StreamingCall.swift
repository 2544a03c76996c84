import NIOCore

/// One server-streaming call. It is sent once: what has been read cannot be taken back. Confined to its event loop.
// Sendable: all state is touched on the loop only.
final class StreamingCall<Request: RPCMessage, Response: RPCMessage>: WaitingCall, ClientStreamDelegate,
    @unchecked Sendable
{
    let inbox: Inbox<Response>
    private let loop: ClientLoop
    private let method: RPCMethod<Request, Response>
    private let request: Request
    private let options: CallOptions
    private let deadline: Deadline
    private var stream: ClientStream?
    private var replica: Int?
    private(set) var isOver = false
    private var timer: Scheduled<Void>?

    init(
        _ loop: ClientLoop, _ method: RPCMethod<Request, Response>, _ request: Request, _ options: CallOptions
    ) {
        self.loop = loop
        self.method = method
        self.request = request
        self.options = options
        deadline = options.deadline ?? Deadline(timeout: loop.configuration.defaultTimeout)
        inbox = Inbox(executor: loop.executor, capacity: loop.configuration.limits.streamWindow / 2)
    }

    func start() {
        guard !isOver else { return }
        guard !deadline.hasPassed else {
            return finish(RPCError(.deadlineExceeded, "the deadline had passed before the call"))
        }
        retry()
    }

    func retry() {
        guard !isOver else { return }
        switch loop.route(excluding: nil, waitsForReady: options.waitsForReady) {
        case .connection(let connection, let replica): send(on: connection, replica)
        case .failed(let error): finish(error)
        case .wait:
            guard loop.wait(self) else {
                return finish(RPCError(.resourceExhausted, "too many calls wait for a connection"))
            }
            guard timer == nil else { return }
            timer = loop.schedule(at: deadline.instant) { [weak self] in
                guard let self, self.stream == nil else { return }
                self.finish(self.loop.waitedInVain)
            }
        }
    }

    private func send(on connection: ClientConnection, _ replica: Int) {
        let head = RequestHead(
            path: method.path, authority: loop.authority(of: replica), isEncrypted: loop.isEncrypted(replica),
            deadline: deadline, metadata: options.metadata, encoding: options.encoding)
        do throws(RPCError) {
            let stream = try connection.start(head, request, delegate: self)
            self.stream = stream
            self.replica = replica
            inbox.stream = stream
            loop.replicas.attemptStarted(on: replica)
        } catch {
            finish(error)
        }
    }

    /// Nobody reads any more.
    func cancel() {
        stream?.cancel()
        finish(RPCError(.cancelled, "the call was cancelled"))
    }

    private func finish(_ error: RPCError?) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        if let replica {
            let isHealthy: Bool? = error?.code == .unavailable ? false : error?.code == .cancelled ? nil : true
            loop.replicas.attemptEnded(on: replica, success: isHealthy, now: .now())
        }
        stream = nil
        inbox.finish(error)
    }

    // MARK: ClientStreamDelegate

    var takesMore: Bool { inbox.takesMore }

    func received(_ message: UnsafeRawBufferPointer, wireSize: Int) throws(RPCError) {
        try inbox.put(Response(serialized: message), size: wireSize)
    }

    func ended(_ end: StreamEnd) {
        finish(end.error)
    }

    /// Cancels the call when the last reader lets go of it.
    final class Lifetime: Sendable {
        private let call: StreamingCall

        init(_ call: StreamingCall) {
            self.call = call
        }

        deinit {
            let call = call
            call.loop.executor.run { call.cancel() }
        }
    }
}
