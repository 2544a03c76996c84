package import NIOCore

/// The server's side of one connection.
///
/// Drain: open -> notice sent (GOAWAY with the highest id, and a PING) -> PING answered, so that the notice has arrived and
/// streams under way have too -> GOAWAY with the last stream's id -> calls in flight finish -> closed.
package final class ServerConnection: HTTP2Connection {
    let serverLoop: ServerLoop
    let peer: String
    private var drainState = DrainState.open

    private enum DrainState {
        case open
        case noticed
        case refusing
    }

    package init(_ serverLoop: ServerLoop, peer: String, now: NIODeadline) throws(RPCError) {
        self.serverLoop = serverLoop
        self.peer = peer
        try super.init(
            role: .server, limits: serverLoop.limits, timing: serverLoop.timing, codec: serverLoop.codec, now: now)
    }

    override func requestBegan(_ id: Int32) {
        let stream = serverLoop.makeStream(for: self)
        stream.id = id
        session.bind(stream)
        remember(stream)
    }

    override func streamReleased(_ stream: HTTP2Stream) {
        guard let stream = stream as? ServerStream, !stream.isHandlerRunning else { return }
        serverLoop.reuse(stream)
    }

    override package func drain() {
        guard drainState == .open else { return }
        drainState = .noticed
        session.submitShutdownNotice()
        session.submitPing()
        outputChanged()
    }

    override func pingAcknowledged() {
        guard drainState == .noticed else { return }
        drainState = .refusing
        session.submitGoAway()
    }

    /// Ends what is still running when the time for draining is up.
    package func abandon() {
        for stream in open.reversed() {
            (stream as? ServerStream)?.inputFailed(RPCError(.unavailable, "the server is shutting down"))
        }
        session.terminate(.noError)
        outputChanged()
    }
}
