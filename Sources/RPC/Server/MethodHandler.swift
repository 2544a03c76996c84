/// One method as the server sees it, its message types hidden. Called on the loop of the stream's connection.
protocol MethodHandler: AnyObject, Sendable {
    var path: String { get }

    /// The headers of a call have come.
    func begin(_ stream: ServerStream) throws(RPCError)

    /// The bytes are valid during the call only.
    func receive(_ message: UnsafeRawBufferPointer, wireSize: Int, on stream: ServerStream) throws(RPCError)

    /// The caller has sent its last message.
    func end(_ stream: ServerStream) throws(RPCError)
}

/// Checks that exactly one message comes, and starts the call with it.
protocol SingleRequestHandler: MethodHandler {
    associatedtype Request: RPCMessage

    func run(_ request: Request, _ context: CallContext, on stream: ServerStream)
}

extension SingleRequestHandler {
    func begin(_ stream: ServerStream) {}

    func receive(_ message: UnsafeRawBufferPointer, wireSize: Int, on stream: ServerStream) throws(RPCError) {
        guard !stream.hasRequest else {
            throw RPCError(.internal, "\(path) takes one message, but the caller sent another")
        }
        stream.hasRequest = true
        let request = try Request(serialized: message)
        let admission = stream.serverLoop.admission
        if admission.enter() {
            run(request, stream.context(), on: stream)
        } else {
            stream.isHandlerRunning = true
            guard admission.enqueue(stream, { self.run(request, stream.context(), on: stream) }) else {
                stream.isHandlerRunning = false
                throw admission.refusal
            }
        }
    }

    func end(_ stream: ServerStream) throws(RPCError) {
        guard stream.hasRequest else {
            throw RPCError(.internal, "\(path) takes one message, but the caller sent none")
        }
    }
}

final class UnaryHandler<Request: RPCMessage, Response: RPCMessage>: SingleRequestHandler {
    typealias Body = @Sendable (Request, CallContext) async throws(RPCError) -> Response

    let path: String
    private let body: Body

    init(path: String, body: @escaping Body) {
        self.path = path
        self.body = body
    }

    func run(_ request: Request, _ context: CallContext, on stream: ServerStream) {
        let body = body
        stream.handlerStarts()
        let task = Task.immediate(executorPreference: stream.executor) {
            do throws(RPCError) {
                stream.finish(with: try await body(request, context))
            } catch {
                stream.finish(error)
            }
            stream.handlerEnded()
        }
        stream.handlerStarted(task)
    }
}

final class ServerStreamingHandler<Request: RPCMessage, Response: RPCMessage>: SingleRequestHandler {
    typealias Body = @Sendable (Request, CallContext, ResponseWriter<Response>) async throws(RPCError) -> Void

    let path: String
    private let body: Body

    init(path: String, body: @escaping Body) {
        self.path = path
        self.body = body
    }

    func run(_ request: Request, _ context: CallContext, on stream: ServerStream) {
        let body = body
        let writer = ResponseWriter<Response>(stream)
        stream.handlerStarts()
        let task = Task.immediate(executorPreference: stream.executor) {
            do throws(RPCError) {
                try await body(request, context, writer)
                stream.finish(nil)
            } catch {
                stream.finish(error)
            }
            stream.handlerEnded()
        }
        stream.handlerStarted(task)
    }
}

final class BidirectionalHandler<Request: RPCMessage, Response: RPCMessage>: MethodHandler {
    typealias Body =
        @Sendable (
            MessageStream<Request>, CallContext, ResponseWriter<Response>
        ) async throws(RPCError) -> Void

    let path: String
    private let body: Body

    init(path: String, body: @escaping Body) {
        self.path = path
        self.body = body
    }

    func begin(_ stream: ServerStream) throws(RPCError) {
        let inbox = Inbox<Request>(executor: stream.executor, capacity: stream.connection.limits.streamWindow / 2)
        inbox.stream = stream
        stream.inbox = inbox
        stream.hasRequest = true
        let admission = stream.serverLoop.admission
        guard admission.enter() else { throw admission.refusal }
        let body = body
        let context = stream.context()
        let writer = ResponseWriter<Response>(stream)
        stream.handlerStarts()
        let task = Task.immediate(executorPreference: stream.executor) {
            do throws(RPCError) {
                try await body(MessageStream(inbox), context, writer)
                stream.finish(nil)
            } catch {
                stream.finish(error)
            }
            stream.handlerEnded()
        }
        stream.handlerStarted(task)
    }

    func receive(_ message: UnsafeRawBufferPointer, wireSize: Int, on stream: ServerStream) throws(RPCError) {
        try (stream.inbox as? Inbox<Request>)?.put(Request(serialized: message), size: wireSize)
    }

    func end(_ stream: ServerStream) {
        stream.inbox?.finish(nil)
    }
}
