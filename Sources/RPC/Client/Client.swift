import NIOCore
import Synchronization

/// Calls one service that is offered by one or more replicas, over one connection per replica and event loop.
///
/// Calls made on one of the client's event loops, as handlers are, use that loop's own connections and never change
/// threads. Calls from elsewhere are spread over the loops.
public final class Client: Sendable {
    private let eventLoops: EventLoops
    /// In the order of `eventLoops.executors`.
    private let loops: [ClientLoop]
    private let turn = Atomic<Int>(0)

    /// - Parameter targets: addresses of the replicas, "host:port".
    public convenience init(
        targets: [String], configuration: ClientConfiguration = .init(), eventLoops: EventLoops = .shared
    ) throws(RPCError) {
        let connector = try SocketConnector.Security(configuration.tls)
        var connectors: [any Connector] = []
        for target in targets { connectors.append(SocketConnector(try Target(target), connector)) }
        guard !connectors.isEmpty else { throw RPCError(.invalidArgument, "a client needs at least one target") }
        self.init(connectors: connectors, configuration: configuration, eventLoops: eventLoops)
    }

    init(connectors: [any Connector], configuration: ClientConfiguration, eventLoops: EventLoops) {
        self.eventLoops = eventLoops
        loops = eventLoops.executors.map {
            ClientLoop(connectors: connectors, configuration: configuration, executor: $0)
        }
    }

    /// One request, one response. Cancelling the task cancels the call at the server too.
    public func unary<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, options: CallOptions = .init()
    ) async throws(RPCError) -> Response {
        let loop = loopForCall()
        let call = UnaryCall(loop, method, request, options)
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Response, RPCError>, Never>) in
                loop.executor.run {
                    call.start { continuation.resume(returning: $0) }
                }
            }
        } onCancel: {
            loop.executor.run { call.cancel() }
        }
        return try result.get()
    }

    /// One request, any number of responses. The call is cancelled when its task is, or when the sequence and its
    /// iterators have been let go.
    public func serverStreaming<Request, Response>(
        _ method: RPCMethod<Request, Response>, _ request: Request, options: CallOptions = .init()
    ) -> MessageStream<Response> {
        let loop = loopForCall()
        let call = StreamingCall(loop, method, request, options)
        call.inbox.onCancel = { [weak call] in call?.cancel() }
        loop.executor.run { call.start() }
        return MessageStream(call.inbox, lifetime: StreamingCall<Request, Response>.Lifetime(call))
    }

    /// Closes all connections; calls in flight fail with UNAVAILABLE.
    public func close() async {
        for loop in loops {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                loop.executor.run {
                    loop.close()
                    continuation.resume()
                }
            }
        }
    }

    /// This thread's loop, or the next in turn.
    private func loopForCall() -> ClientLoop {
        loop(on: executorForCall())
    }

    func executorForCall() -> LoopExecutor {
        eventLoops.current ?? eventLoops.executors[nextTurn()]
    }

    func loop(on executor: LoopExecutor) -> ClientLoop {
        loops.first { $0.executor === executor } ?? loops[nextTurn()]
    }

    private func nextTurn() -> Int {
        Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue) % UInt(loops.count))
    }
}
