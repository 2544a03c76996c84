/// Many calls of one method at a time, awaited as one.
public enum FanOut {
    /// Sends each request to its client and waits for all. Results come in the order of the calls; that some fail is a
    /// result, not an error. All calls run on one event loop and one continuation waits for them, which costs
    /// little more than plain callbacks.
    public static func call<Request, Response>(
        _ calls: [(client: Client, request: Request)], _ method: RPCMethod<Request, Response>,
        options: CallOptions = .init()
    ) async -> [Result<Response, RPCError>] {
        guard let first = calls.first else { return [] }
        let executor = first.client.executorForCall()
        let join = Join<Request, Response>(
            calls.map { UnaryCall($0.client.loop(on: executor), method, $0.request, options) })
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                executor.run { join.start { continuation.resume() } }
            }
        } onCancel: {
            executor.run { join.cancel() }
        }
        return join.results.map { $0 ?? .failure(RPCError(.internal, "the call has no result")) }
    }

    /// Counts the calls down. Confined to one event loop until the last has ended.
    // Sendable: touched on the loop only, and read by the waiter after the loop has let go.
    private final class Join<Request: RPCMessage, Response: RPCMessage>: @unchecked Sendable {
        private let calls: [UnaryCall<Request, Response>]
        private(set) var results: [Result<Response, RPCError>?]
        private var left: Int

        init(_ calls: [UnaryCall<Request, Response>]) {
            self.calls = calls
            results = Array(repeating: nil, count: calls.count)
            left = calls.count
        }

        func start(_ completion: @escaping () -> Void) {
            for (index, call) in calls.enumerated() {
                call.start { result in
                    self.results[index] = result
                    self.left -= 1
                    if self.left == 0 { completion() }
                }
            }
        }

        func cancel() {
            for call in calls { call.cancel() }
        }
    }
}
