public import ServiceLifecycle
public import Snapshots

/// Restores what a process served before, and keeps up with the snapshot-server, for as long as the process runs.
public struct SnapshotHostTask<Loaded: Sendable>: Service {
    private let host: SnapshotHost<Loaded>
    private let ready: @Sendable (SnapshotHost<Loaded>) -> Void

    /// - Parameter ready: called once, when the host has a version to serve.
    public init(_ host: SnapshotHost<Loaded>, ready: @escaping @Sendable (SnapshotHost<Loaded>) -> Void = { _ in }) {
        self.host = host
        self.ready = ready
    }

    public func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await host.run() }
                group.addTask {
                    if await host.waitUntilServing() { ready(host) }
                }
            }
        }
    }
}

/// Ends a rollout that a crash of the snapshot-server interrupted, then rests until the process ends.
public struct RolloutResumption: Service {
    private let controller: RolloutController

    public init(_ controller: RolloutController) {
        self.controller = controller
    }

    public func run() async throws {
        try await controller.resume()
        try await gracefulShutdown()
    }
}
