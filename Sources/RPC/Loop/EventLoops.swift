package import NIOCore
package import NIOPosix

/// The threads on which all calls of a process run, one event loop each. A handler that calls further services stays on
/// the loop its own call came in on, connections and all.
public final class EventLoops: Sendable {
    /// One loop per core that this process may use; lives as long as the process.
    public static let shared = EventLoops(count: System.coreCount)

    package let group: MultiThreadedEventLoopGroup
    package let executors: [LoopExecutor]

    /// - Parameter count: threads, at least 1.
    public init(count: Int) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, count))
        executors = group.makeIterator().map { LoopExecutor($0) }
    }

    /// Ends the threads of a group that was made for a while. Its servers and clients must be closed before.
    public func shutdown() async throws {
        try await group.shutdownGracefully()
    }

    /// The executor of the loop this thread runs, if it runs one of these.
    package var current: LoopExecutor? {
        executors.first { $0.isCurrent }
    }

    package func executor(of loop: any EventLoop) -> LoopExecutor? {
        executors.first { $0.loop === loop }
    }
}
