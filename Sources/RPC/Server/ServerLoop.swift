/// What all connections of a server on one event loop share. Confined to that loop.
package final class ServerLoop {
    /// Idle stream objects kept for reuse: a burst of this size allocates nothing.
    private static let streamsKept = 1024

    let executor: LoopExecutor
    let methods: MethodTable
    let limits: HTTP2Limits
    let timing: ConnectionTiming
    let admission: Admission
    let codec = MessageCodec()
    private var pool: [ServerStream] = []

    package init(_ router: Router, _ configuration: ServerConfiguration, executor: LoopExecutor) {
        self.executor = executor
        methods = router.table
        limits = configuration.limits
        timing = configuration.timing
        admission = Admission(
            runningMax: configuration.runningCallsPerLoopMax, waitingMax: configuration.waitingCallsPerLoopMax)
    }

    func makeStream(for connection: ServerConnection) -> ServerStream {
        let stream = pool.popLast() ?? ServerStream(connection: connection)
        stream.recycle(for: connection)
        return stream
    }

    func reuse(_ stream: ServerStream) {
        if pool.count < Self.streamsKept { pool.append(stream) }
    }
}
