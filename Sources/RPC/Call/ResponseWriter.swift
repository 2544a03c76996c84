/// Sends the responses of a streaming call.
public struct ResponseWriter<Response: RPCMessage>: Sendable {
    private let stream: ServerStream
    /// Which of the calls that the stream object serves in its life this writer belongs to.
    private let call: UInt64

    init(_ stream: ServerStream) {
        self.stream = stream
        call = stream.call
    }

    /// Sends one message, and waits while more than `HTTP2Limits.outboundQueueBytesMax` are queued because the caller
    /// reads slowly. Fails when the caller has gone.
    public func write(_ response: Response) async throws(RPCError) {
        if stream.executor.isCurrent {
            if try stream.write(response, call: call) { return }
            return try await waitForRoom()
        }
        let result = await withUnsafeContinuation { continuation in
            stream.executor.run {
                do throws(RPCError) {
                    if try stream.write(response, call: call) {
                        return continuation.resume(returning: Result<Void, RPCError>.success(()))
                    }
                    stream.waitForRoom(call: call) { continuation.resume(returning: $0) }
                } catch {
                    continuation.resume(returning: Result<Void, RPCError>.failure(error))
                }
            }
        }
        try result.get()
    }

    private func waitForRoom() async throws(RPCError) {
        let result = await withUnsafeContinuation { continuation in
            stream.waitForRoom(call: call) { continuation.resume(returning: $0) }
        }
        try result.get()
    }
}
