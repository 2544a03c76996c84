import NIOCore

/// A client's connections and calls on one event loop. Confined to that loop.
// Sendable: all state is touched on the executor's loop only.
final class ClientLoop: ClientConnectionDelegate, @unchecked Sendable {
    let executor: LoopExecutor
    let configuration: ClientConfiguration
    var replicas: ReplicaSet
    var budget: RetryBudget
    /// Latencies of answered calls, for the time of the hedge.
    var latencies = LatencyEstimator(quantile: 0.95)
    var random = SystemRandomNumberGenerator()

    private let connectors: [any Connector]
    private let codec = MessageCodec()
    /// The connection that takes a replica's calls, or is being opened to do so.
    private var connections: [ClientConnection?]
    /// Connections that take no more calls but still have some in flight.
    private var closing: [ClientConnection] = []
    private var waiting: [any WaitingCall] = []
    private var isActive = false
    private(set) var isClosed = false

    init(connectors: [any Connector], configuration: ClientConfiguration, executor: LoopExecutor) {
        self.connectors = connectors
        self.configuration = configuration
        self.executor = executor
        connections = Array(repeating: nil, count: connectors.count)
        replicas = ReplicaSet(
            count: connectors.count, configuration: configuration.balancing, now: .now(), using: &random)
        budget = RetryBudget(configuration.retryBudget, now: .now())
    }

    /// The connection for one attempt, or where to wait for it.
    enum Route {
        case connection(ClientConnection, replica: Int)
        case wait
        case failed(RPCError)
    }

    func route(excluding excluded: Int?, waitsForReady: Bool) -> Route {
        guard !isClosed else { return .failed(RPCError(.unavailable, "the client is closed")) }
        if !isActive {
            isActive = true
            for replica in connectors.indices { connect(replica) }
        }
        switch replicas.pick(excluding: excluded, now: .now(), using: &random) {
        case .replica(let replica):
            guard let connection = connections[replica] else { return .wait }
            return .connection(connection, replica: replica)
        case .wait: return .wait
        case .unreachable where waitsForReady: return .wait
        case .unreachable: return .failed(unreachable(.unavailable, "can be reached"))
        }
    }

    /// - Parameter lack: `can be reached`, say.
    private func unreachable(_ code: RPCError.Code, _ lack: String) -> RPCError {
        let names = connectors.map(\.authority).joined(separator: ", ")
        return RPCError(code, "no replica of [\(names)] \(lack)", cause: lastFailure)
    }

    /// What a call fails with that waited for a connection until its deadline.
    var waitedInVain: RPCError { unreachable(.deadlineExceeded, "was ready before the deadline") }

    private var lastFailure: RPCError?

    func authority(of replica: Int) -> String { connectors[replica].authority }

    func isEncrypted(_ replica: Int) -> Bool { connectors[replica].isEncrypted }

    /// Keeps a call until a replica is ready or all have failed; false when too many wait.
    func wait(_ call: any WaitingCall) -> Bool {
        if waiting.count >= configuration.waitingCallsMax { waiting.removeAll { $0.isOver } }
        guard waiting.count < configuration.waitingCallsMax else { return false }
        waiting.append(call)
        return true
    }

    /// Runs `body` on the loop at `time`; never, at the end of time.
    func schedule(at time: NIODeadline, _ body: @escaping () -> Void) -> Scheduled<Void>? {
        guard time < .distantFuture else { return nil }
        return executor.loop.assumeIsolated().scheduleTask(deadline: time) { self.executor.batch(body) }
    }

    private func retryWaiting() {
        let calls = waiting
        waiting.removeAll(keepingCapacity: true)
        for call in calls { call.retry() }
    }

    // MARK: Connections

    private func connect(_ replica: Int) {
        guard !isClosed, connections[replica] == nil else { return }
        let now = NIODeadline.now()
        let giveUp = replicas.connectionStarted(to: replica, now: now, using: &random)
        do throws(RPCError) {
            let connection = try ClientConnection(
                limits: configuration.limits, timing: configuration.timing, codec: codec, now: now)
            connection.delegate = self
            connections[replica] = connection
            connectors[replica].connect(connection, on: executor, timeout: giveUp - now)
            watchAttempt(connection, until: giveUp)
        } catch {
            ended(replica, error)
        }
    }

    /// Gives up a connection that is open but stays silent.
    private func watchAttempt(_ connection: ClientConnection, until giveUp: NIODeadline) {
        _ = schedule(at: giveUp) { [weak connection] in
            guard let connection, !connection.isReady else { return }
            connection.close(RPCError(.unavailable, "the server did not answer in time"))
        }
    }

    func connectionReady(_ connection: ClientConnection) {
        guard let replica = connections.firstIndex(where: { $0 === connection }) else { return }
        replicas.connectionReady(to: replica, now: .now())
        retryWaiting()
    }

    func connectionClosing(_ connection: ClientConnection) {
        guard let replica = connections.firstIndex(where: { $0 === connection }) else {
            if connection.lostReason != nil { closing.removeAll { $0 === connection } }
            return
        }
        if connection.lostReason == nil { closing.append(connection) }
        ended(replica, connection.lostReason ?? RPCError(.unavailable, "the server is going away"))
    }

    private func ended(_ replica: Int, _ reason: RPCError) {
        connections[replica] = nil
        guard !isClosed else { return }
        lastFailure = reason
        let retryAt = replicas.connectionEnded(to: replica, now: .now())
        _ = schedule(at: retryAt) { self.connect(replica) }
        retryWaiting()
    }

    /// Closes every connection; calls in flight fail.
    func close() {
        isClosed = true
        for connection in connections.compactMap({ $0 }) + closing {
            connection.close(RPCError(.unavailable, "the client is closed"))
        }
        retryWaiting()
    }
}

/// A call that could not be sent yet.
protocol WaitingCall: AnyObject {
    /// It has given up waiting.
    var isOver: Bool { get }
    /// Things have changed: try again, or wait again.
    func retry()
}
