package import NIOCore

/// Something that collects output during a batch and writes it once at its end.
package protocol Flushable: AnyObject {
    func flush()
}

/// Runs tasks on one event loop. Jobs and writes that arise on the loop are collected and done at the end of the batch in
/// hand, so that a burst of calls costs one turn of the loop and one write per connection.
// Sendable: everything but `loop` is touched on the loop only.
package final class LoopExecutor: TaskExecutor, @unchecked Sendable {
    package let loop: any EventLoop
    private var jobs: [UnownedJob] = []
    private var running: [UnownedJob] = []
    private var dirty: [any Flushable] = []
    private var flushing: [any Flushable] = []
    private var isInBatch = false
    private var isScheduled = false

    package init(_ loop: any EventLoop) {
        self.loop = loop
    }

    package var isCurrent: Bool { loop.inEventLoop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if loop.inEventLoop {
            jobs.append(job)
            schedule()
        } else {
            loop.execute {
                self.batch { self.jobs.append(job) }
            }
        }
    }

    /// Runs `body` on the loop: at once when already there.
    package func run(_ body: @escaping @Sendable () -> Void) {
        if loop.inEventLoop {
            body()
        } else {
            loop.execute { self.batch(body) }
        }
    }

    /// Runs `body`, then the jobs it woke, then writes what all of them produced. On the loop only.
    package func batch<Result>(_ body: () -> Result) -> Result {
        guard !isInBatch else { return body() }
        isInBatch = true
        let result = body()
        finishBatch()
        return result
    }

    /// Flushes `item` at the end of the batch. On the loop only.
    package func flushLater(_ item: any Flushable) {
        dirty.append(item)
        schedule()
    }

    private func schedule() {
        guard !isInBatch, !isScheduled else { return }
        isScheduled = true
        loop.execute {
            self.isScheduled = false
            self.batch {}
        }
    }

    /// Rounds of jobs and writes before the loop turns to its sockets again: a handler that streams as fast as its
    /// caller reads would otherwise keep the loop from everyone else.
    private static let roundsMax = 16

    private func finishBatch() {
        let executor = asUnownedTaskExecutor()
        var rounds = 0
        while rounds < Self.roundsMax {
            rounds += 1
            if !jobs.isEmpty {
                swap(&jobs, &running)
                for job in running { job.runSynchronously(on: executor) }
                running.removeAll(keepingCapacity: true)
            } else if !dirty.isEmpty {
                swap(&dirty, &flushing)
                for item in flushing { item.flush() }
                flushing.removeAll(keepingCapacity: true)
            } else {
                break
            }
        }
        isInBatch = false
        if !jobs.isEmpty || !dirty.isEmpty { schedule() }
    }
}
