/// The methods a server offers.
public struct Router: Sendable {
    private var methods: [any MethodHandler] = []
    /// Full names of the services, in the order of their registration.
    public private(set) var serviceNames: [String] = []

    public init() {}

    public init(services: [any RPCService]) {
        for service in services { service.register(in: &self) }
    }

    /// One request, one response.
    public mutating func unary<Request, Response>(
        _ method: RPCMethod<Request, Response>,
        handler: @escaping @Sendable (Request, CallContext) async throws(RPCError) -> Response
    ) {
        add(UnaryHandler(path: method.path, body: handler), service: method.service)
    }

    /// One request, any number of responses.
    public mutating func serverStreaming<Request, Response>(
        _ method: RPCMethod<Request, Response>,
        handler: @escaping @Sendable (Request, CallContext, ResponseWriter<Response>) async throws(RPCError) -> Void
    ) {
        add(ServerStreamingHandler(path: method.path, body: handler), service: method.service)
    }

    /// Any number of requests and responses, in whatever order the handler likes.
    public mutating func bidirectional<Request, Response>(
        _ method: RPCMethod<Request, Response>,
        handler:
            @escaping @Sendable (
                MessageStream<Request>, CallContext, ResponseWriter<Response>
            ) async throws(RPCError) -> Void
    ) {
        add(BidirectionalHandler(path: method.path, body: handler), service: method.service)
    }

    private mutating func add(_ handler: any MethodHandler, service: String) {
        precondition(!methods.contains { $0.path == handler.path }, "\(handler.path) is registered twice")
        methods.append(handler)
        if !serviceNames.contains(service) { serviceNames.append(service) }
    }

    var table: MethodTable { MethodTable(methods) }
}

/// Finds methods by the bytes of their path.
///
/// - Complexity: O(methods), but a server has some twenty, and comparing lengths first makes that cheaper than a hash.
final class MethodTable: Sendable {
    private let paths: [[UInt8]]
    private let handlers: [any MethodHandler]

    init(_ methods: [any MethodHandler]) {
        paths = methods.map { Array($0.path.utf8) }
        handlers = methods
    }

    func find(_ path: UnsafeRawBufferPointer) -> (any MethodHandler)? {
        for index in paths.indices where paths[index].count == path.count {
            if paths[index].withUnsafeBytes({ $0.equals(path) }) { return handlers[index] }
        }
        return nil
    }
}
