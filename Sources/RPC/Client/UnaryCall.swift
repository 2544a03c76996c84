import NIOCore

/// One unary call: its attempts, until one is answered or no more are allowed. Confined to its client's event loop.
// Sendable: all state is touched on the loop only.
final class UnaryCall<Request: RPCMessage, Response: RPCMessage>: WaitingCall, @unchecked Sendable {
    typealias Completion = (Result<Response, RPCError>) -> Void

    private let loop: ClientLoop
    private let method: RPCMethod<Request, Response>
    private let request: Request
    private let options: CallOptions
    private let deadline: Deadline
    private var plan: AttemptPlan
    private var attempts: [Attempt] = []
    private var completion: Completion?
    private var isCancelled = false
    private var lastReplica: Int?
    private var timers: [Scheduled<Void>] = []
    /// A timer watches the deadline, because no stream may be there to do it.
    private var isExpiring = false

    init(
        _ loop: ClientLoop, _ method: RPCMethod<Request, Response>, _ request: Request, _ options: CallOptions
    ) {
        self.loop = loop
        self.method = method
        self.request = request
        self.options = options
        deadline = options.deadline ?? Deadline(timeout: loop.configuration.defaultTimeout)
        plan = AttemptPlan(loop.configuration.attempts, deadline: deadline.instant)
    }

    /// `completion` is called once, on the loop, unless it is called before this returns.
    func start(_ completion: @escaping Completion) {
        self.completion = completion
        guard !isCancelled else { return complete(.failure(RPCError(.cancelled, "the call was cancelled"))) }
        guard !deadline.hasPassed else {
            return complete(.failure(RPCError(.deadlineExceeded, "the deadline had passed before the call")))
        }
        loop.budget.callStarted()
        send()
        scheduleHedge()
    }

    func cancel() {
        isCancelled = true
        complete(.failure(RPCError(.cancelled, "the call was cancelled")))
    }

    var isOver: Bool { completion == nil }

    func retry() {
        guard completion != nil else { return }
        send()
    }

    // MARK: Attempts

    private func send() {
        guard completion != nil else { return }
        switch loop.route(excluding: lastReplica, waitsForReady: options.waitsForReady) {
        case .connection(let connection, let replica): send(on: connection, replica)
        case .wait:
            guard loop.wait(self) else {
                return complete(.failure(RPCError(.resourceExhausted, "too many calls wait for a connection")))
            }
            if !isExpiring { expireWhileWaiting() }
        case .failed(let error): attemptFailed(error, mayRetry: true)
        }
    }

    private func send(on connection: ClientConnection, _ replica: Int) {
        lastReplica = replica
        let head = RequestHead(
            path: method.path, authority: loop.authority(of: replica), isEncrypted: loop.isEncrypted(replica),
            deadline: deadline, metadata: options.metadata, encoding: options.encoding)
        let attempt = Attempt(self, replica: replica)
        do throws(RPCError) {
            attempt.stream = try connection.start(head, request, delegate: attempt)
            loop.replicas.attemptStarted(on: replica)
            attempts.append(attempt)
        } catch {
            attemptFailed(error, mayRetry: true)
        }
    }

    private func scheduleHedge() {
        guard loop.configuration.attempts.hedges, loop.replicas.count > 1,
            let time = plan.hedgeTime(slow: loop.latencies.estimate, now: .now())
        else { return }
        keep(
            loop.schedule(at: time) { [weak self] in
                // A call that waits for a connection gains nothing by waiting twice.
                guard let self, self.completion != nil, !self.attempts.isEmpty else { return }
                if self.plan.hedge(now: .now(), budget: &self.loop.budget) { self.send() }
            })
    }

    private func expireWhileWaiting() {
        isExpiring = true
        keep(
            loop.schedule(at: deadline.instant) { [weak self] in
                guard let self else { return }
                self.complete(.failure(self.loop.waitedInVain))
            })
    }

    private func keep(_ timer: Scheduled<Void>?) {
        if let timer { timers.append(timer) }
    }

    fileprivate func attemptEnded(_ attempt: Attempt, _ end: StreamEnd) {
        attempts.removeAll { $0 === attempt }
        let now = NIODeadline.now()
        loop.replicas.attemptEnded(on: attempt.replica, success: Self.isHealthy(end.error), now: now)
        if let error = end.error {
            attemptFailed(error, mayRetry: error.code == .unavailable && !end.hasResponse)
        } else if let response = attempt.response {
            loop.latencies.record(microseconds: (now - attempt.started).nanoseconds / 1000)
            complete(.success(response))
        } else {
            complete(.failure(RPCError(.internal, "\(method.path) was answered without a message")))
        }
    }

    private func attemptFailed(_ error: RPCError, mayRetry: Bool) {
        let now = NIODeadline.now()
        switch plan.attemptFailed(mayRetry ? .unavailable : .final, now: now, budget: &loop.budget) {
        case .fail: complete(.failure(error))
        case .awaitOther: break
        case .retry(let time) where time <= now: send()
        case .retry(let time):
            keep(
                loop.schedule(at: time) { [weak self] in self?.send() })
        }
    }

    /// Whether an outcome speaks for its replica; errors that the request itself brought about do.
    private static func isHealthy(_ error: RPCError?) -> Bool? {
        switch error?.code {
        case .unavailable, .deadlineExceeded, .internal, .unknown, .dataLoss: false
        case .cancelled: nil
        default: true
        }
    }

    private func complete(_ result: Result<Response, RPCError>) {
        guard let completion else { return }
        self.completion = nil
        for timer in timers { timer.cancel() }
        timers.removeAll()
        for attempt in attempts {
            attempt.stream?.cancel()
            loop.replicas.attemptEnded(on: attempt.replica, success: nil, now: .now())
        }
        attempts.removeAll()
        completion(result)
    }

    /// One sending of the request.
    fileprivate final class Attempt: ClientStreamDelegate {
        let call: UnaryCall
        let replica: Int
        let started = NIODeadline.now()
        var stream: ClientStream?
        var response: Response?

        init(_ call: UnaryCall, replica: Int) {
            self.call = call
            self.replica = replica
        }

        var takesMore: Bool { true }

        func received(_ message: UnsafeRawBufferPointer, wireSize: Int) throws(RPCError) {
            guard response == nil else {
                throw RPCError(.internal, "\(call.method.path) was answered with more than one message")
            }
            response = try Response(serialized: message)
        }

        func ended(_ end: StreamEnd) {
            call.attemptEnded(self, end)
        }
    }
}
