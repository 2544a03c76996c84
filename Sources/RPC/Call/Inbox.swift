/// Messages that have come and are not yet taken, for one reader. Confined to its event loop.
///
/// Beyond `capacity` bytes it stops the stream's window, so that a slow reader slows the sender instead of filling memory.
// Sendable: all state is touched on the executor's loop only.
package final class Inbox<Message: RPCMessage>: AnyInbox, @unchecked Sendable {
    private let executor: LoopExecutor
    private let capacity: Int
    private var messages: [(message: Message, size: Int)] = []
    private var head = 0
    private var bytes = 0
    private var outcome: Result<Void, RPCError>?
    private var reader: UnsafeContinuation<Result<Message?, RPCError>, Never>?
    /// Whose window is held back; nil once it is closed.
    weak var stream: HTTP2Stream?
    /// Called when the reader's task is cancelled while it waits.
    var onCancel: (() -> Void)?

    init(executor: LoopExecutor, capacity: Int) {
        self.executor = executor
        self.capacity = capacity
    }

    override var takesMore: Bool { bytes < capacity }

    func put(_ message: Message, size: Int) {
        guard outcome == nil else { return }
        if let reader {
            self.reader = nil
            reader.resume(returning: .success(message))
        } else {
            messages.append((message, size))
            bytes += size
        }
    }

    /// No more will come; what has come can still be taken, and then the error is thrown if there is one.
    override func finish(_ error: RPCError?) {
        guard outcome == nil else { return }
        outcome = error.map { .failure($0) } ?? .success(())
        if let reader {
            self.reader = nil
            reader.resume(returning: outcome?.map { nil } ?? .success(nil))
        }
    }

    func next() async throws(RPCError) -> Message? {
        if executor.isCurrent, let result = take() { return try result.get() }
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                executor.run { self.wait(continuation) }
            }
        } onCancel: {
            executor.run { self.cancel() }
        }
        return try result.get()
    }

    private func wait(_ continuation: UnsafeContinuation<Result<Message?, RPCError>, Never>) {
        if let result = take() {
            continuation.resume(returning: result)
        } else {
            precondition(reader == nil, "a stream of messages has one reader at a time")
            reader = continuation
        }
    }

    private func cancel() {
        messages.removeAll()
        head = 0
        bytes = 0
        if case .success = outcome { outcome = nil }
        finish(RPCError(.cancelled, "the reader was cancelled"))
        onCancel?()
    }

    private func take() -> Result<Message?, RPCError>? {
        guard head < messages.count else { return outcome.map { $0.map { nil } } }
        let (message, size) = messages[head]
        head += 1
        bytes -= size
        if head == messages.count {
            messages.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 64, head > messages.count / 2 {
            messages.removeFirst(head)
            head = 0
        }
        if let stream, stream.isOpen {
            stream.connection.releaseWindow(of: stream)
            stream.connection.outputChanged()
        }
        return .success(message)
    }
}

/// An inbox whose message type is hidden.
package class AnyInbox {
    var takesMore: Bool { true }
    func finish(_ error: RPCError?) {}
}

/// The messages of one direction of a call, in order. For one reader.
public struct MessageStream<Message: RPCMessage>: AsyncSequence, Sendable {
    public typealias Element = Message
    public typealias Failure = RPCError

    private let inbox: Inbox<Message>
    /// Ends the call when nobody can read it any more.
    private let lifetime: (any AnyObject & Sendable)?

    init(_ inbox: Inbox<Message>, lifetime: (any AnyObject & Sendable)? = nil) {
        self.inbox = inbox
        self.lifetime = lifetime
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(inbox: inbox, lifetime: lifetime)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let inbox: Inbox<Message>
        let lifetime: (any AnyObject & Sendable)?

        public mutating func next() async throws(RPCError) -> Message? {
            try await inbox.next()
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(RPCError) -> Message? {
            try await inbox.next()
        }
    }
}
