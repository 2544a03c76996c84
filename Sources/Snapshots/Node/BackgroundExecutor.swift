import Foundation
import Glibc

/// Threads of low priority that run tasks: fetching, hashing and loading snapshots beside requests that must not wait.
///
/// Linux gives each thread its own niceness, so that the scheduler prefers the event loops whenever they have work.
final class BackgroundExecutor: TaskExecutor {
    private let queue = Queue()

    /// - Parameters:
    ///   - threads: jobs run side by side.
    ///   - niceness: 0 (like the rest of the process) ... 19 (only what is left over).
    init(name: String, threads: Int, niceness: Int) {
        for index in 0..<threads {
            let queue = queue
            let executor = asUnownedTaskExecutor()
            let thread = Thread {
                Self.nameThread("\(name)-\(index)")
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Int32(niceness))  // 0: this thread.
                while let job = queue.next() { job.runSynchronously(on: executor) }
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    deinit {
        queue.close()
    }

    /// Names the calling thread, for debuggers and `top`.
    ///
    /// Not by `Thread.name`: that does nothing when the new thread is faster than the one that started it, which has yet
    /// to note its handle.
    private static func nameThread(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY)
        guard file >= 0 else { return }  // Without /proc the thread keeps its starter's name.
        _ = write(file, name, name.utf8.count)
        close(file)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        queue.add(UnownedJob(job))
    }

    // Sendable: every access is under the condition's lock.
    private final class Queue: @unchecked Sendable {
        private let condition = NSCondition()
        private var jobs: [UnownedJob] = []
        private var isClosed = false

        func add(_ job: UnownedJob) {
            condition.lock()
            jobs.append(job)
            condition.signal()
            condition.unlock()
        }

        /// Waits for a job; nil once the executor is gone.
        func next() -> UnownedJob? {
            condition.lock()
            defer { condition.unlock() }
            while jobs.isEmpty && !isClosed { condition.wait() }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }

        func close() {
            condition.lock()
            isClosed = true
            condition.broadcast()
            condition.unlock()
        }
    }
}
