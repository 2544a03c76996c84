/// Bounds the calls that one event loop of a server works on, and those that wait for it. Confined to its loop.
///
/// Calls beyond both limits are refused at once: an answer that comes too late costs the same as one in time, so
/// a server that queues without bound answers nobody. A waiting call whose deadline passes is dropped unstarted.
final class Admission {
    private let runningMax: Int
    private let waitingMax: Int
    private(set) var running = 0
    private var waiting: [(stream: ServerStream, start: () -> Void)] = []
    /// Start of the queue in `waiting`; what lies before it has been started.
    private var head = 0
    private var isStarting = false

    init(runningMax: Int, waitingMax: Int) {
        self.runningMax = runningMax
        self.waitingMax = waitingMax
    }

    var refusal: RPCError {
        RPCError(.resourceExhausted, "the server is busy: \(running) calls run and \(waiting.count - head) wait")
    }

    /// Takes a place for a call that starts now; false when all are taken.
    func enter() -> Bool {
        guard running < runningMax, head == waiting.count else { return false }
        running += 1
        return true
    }

    /// Keeps a call until a place is free; false when too many wait.
    func enqueue(_ stream: ServerStream, _ start: @escaping () -> Void) -> Bool {
        guard waiting.count - head < waitingMax else { return false }
        waiting.append((stream, start))
        return true
    }

    /// Gives back a place and starts who waits for it.
    func leave() {
        running -= 1
        // A call that ends at once comes back here: the loop below goes on, rather than one deeper each time.
        guard !isStarting else { return }
        isStarting = true
        while running < runningMax, head < waiting.count {
            let (stream, start) = waiting[head]
            head += 1
            guard stream.mayStart() else { continue }
            running += 1
            start()
        }
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            head = 0
        } else if head > waiting.count / 2 {
            waiting.removeFirst(head)
            head = 0
        }
        isStarting = false
    }
}
