public import Messages
public import RPC
import Synchronization

/// The standard `grpc.health.v1.Health`: whether this process, and each of its services, can be sent requests.
///
/// The empty name stands for the process as a whole. It starts as not serving.
public final class HealthService: RPCService {
    public typealias Status = Health.HealthCheckResponse.ServingStatus

    /// Calls of Watch open at a time; beyond it a caller must poll. Each holds a stream and a queue of one status.
    public static let watchersMax = 1024

    public static let serviceName = HealthMethods.service

    private struct State {
        var statuses: [String: Status]
        var watchers: [Int: (service: String, continuation: AsyncStream<Status>.Continuation)] = [:]
        var nextWatcher = 0
    }

    private let state: Mutex<State>

    /// - Parameter services: full names of the services to answer for, beside the process itself.
    public init(services: [String]) {
        var statuses = ["": Status.notServing]
        for service in services { statuses[service] = .notServing }
        state = Mutex(State(statuses: statuses))
    }

    /// Sets the status of the process and of all its services, and tells the watchers.
    public func set(_ status: Status) {
        let watchers = state.withLock { state in
            for service in state.statuses.keys { state.statuses[service] = status }
            return state.watchers.values.filter { state.statuses[$0.service] != nil }.map(\.continuation)
        }
        for watcher in watchers { watcher.yield(status) }
    }

    public func register(in router: inout Router) {
        router.unary(HealthMethods.check) { request, _ throws(RPCError) in
            guard let status = self.status(of: request.service) else {
                throw RPCError(.notFound, "no service '\(request.service)' here")
            }
            return Health.HealthCheckResponse(status: status)
        }
        router.serverStreaming(HealthMethods.watch) { request, _, writer throws(RPCError) in
            let (watcher, statuses) = try self.watch(request.service)
            defer { self.unwatch(watcher) }
            for await status in statuses {
                try await writer.write(Health.HealthCheckResponse(status: status))
            }
        }
    }

    private func status(of service: String) -> Status? {
        state.withLock { $0.statuses[service] }
    }

    /// The current status first, then each new one; a reader that lags sees the latest only.
    private func watch(_ service: String) throws(RPCError) -> (Int, AsyncStream<Status>) {
        let (stream, continuation) = AsyncStream.makeStream(of: Status.self, bufferingPolicy: .bufferingNewest(1))
        let watcher = state.withLock { state -> Int? in
            guard state.watchers.count < Self.watchersMax else { return nil }
            let watcher = state.nextWatcher
            state.nextWatcher += 1
            state.watchers[watcher] = (service, continuation)
            continuation.yield(state.statuses[service] ?? .serviceUnknown)
            return watcher
        }
        guard let watcher else {
            throw RPCError(.resourceExhausted, "\(Self.watchersMax) health watchers are the limit; call Check instead")
        }
        return (watcher, stream)
    }

    private func unwatch(_ watcher: Int) {
        state.withLock { $0.watchers[watcher] = nil }
    }
}
