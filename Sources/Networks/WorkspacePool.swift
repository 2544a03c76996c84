import Synchronization

/// Workspaces for the requests of a process: each request borrows one, so that their memory is reused.
public final class WorkspacePool: Sendable {
    private let idle = Mutex<[Idle]>([])
    /// Workspaces kept when idle; more than the threads that serve would only hold memory.
    private let idleMax: Int

    // Sendable: a workspace is in the list or borrowed by exactly one caller.
    private struct Idle: @unchecked Sendable {
        let workspace: Workspace
    }

    public init(idleMax: Int = 16) {
        self.idleMax = idleMax
    }

    /// Runs `body` with a workspace of its own, reset before.
    public func withWorkspace<Result, Failure: Error>(
        _ body: (Workspace) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let borrowed = idle.withLock { $0.popLast() } ?? Idle(workspace: Workspace())
        borrowed.workspace.reset()
        defer {
            idle.withLock { if $0.count < idleMax { $0.append(borrowed) } }
        }
        return try body(borrowed.workspace)
    }
}
