public import Messages
public import RPC
import Synchronization

/// `grpc.health.v1.Health`: tells load balancers and people whether this process, or one service of it, answers.
public final class HealthService: RPCService {
    public static let serviceName = HealthMethods.service
    public typealias Status = Health.HealthCheckResponse.ServingStatus

    /// The name under which the whole process is asked for.
    public static let wholeProcess = ""

    private struct State {
        var statuses: [String: Status] = [:]
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0
    }

    private struct Watcher {
        var service: String
        var changes: AsyncStream<Status>.Continuation
    }

    private let state = Mutex(State())

    /// - Parameter services: full names of the services that can be asked for; not serving until ``setAll(_:)``.
    public init(services: [String]) {
        state.withLock { state in
            for service in services + [Self.wholeProcess] { state.statuses[service] = .notServing }
        }
    }

    /// Changes the status of the process and of each of its services, and tells whoever watches.
    public func setAll(_ status: Status) {
        state.withLock { state in
            for service in state.statuses.keys where state.statuses[service] != status {
                state.statuses[service] = status
                for watcher in state.watchers.values where watcher.service == service {
                    watcher.changes.yield(status)
                }
            }
        }
    }

    public func status(of service: String) -> Status? {
        state.withLock { $0.statuses[service] }
    }

    public func register(in router: inout Router) {
        router.unary(HealthMethods.check) { [self] request, _ throws(RPCError) in
            guard let status = status(of: request.service) else {
                throw RPCError(.notFound, "this process has no service '\(request.service)'")
            }
            return Health.HealthCheckResponse(status: status)
        }
        router.serverStreaming(HealthMethods.watch) { [self] request, _, responses throws(RPCError) in
            for await status in changes(of: request.service) {
                try await responses.write(Health.HealthCheckResponse(status: status))
            }
        }
    }

    /// The status now and after each change. A watcher that reads slowly misses changes in between, never the last.
    private func changes(of service: String) -> AsyncStream<Status> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { changes in
            let id = state.withLock { state in
                let id = state.nextWatcher
                state.nextWatcher += 1
                state.watchers[id] = Watcher(service: service, changes: changes)
                changes.yield(state.statuses[service] ?? .serviceUnknown)
                return id
            }
            changes.onTermination = { [weak self] _ in
                self?.state.withLock { $0.watchers[id] = nil }
            }
        }
    }
}
