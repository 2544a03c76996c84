/// One HTTP/2 stream that carries a call, as both sides see it. Confined to its connection's event loop.
package class HTTP2Stream {
    // The connection holds every open stream and closes them before it goes; a closed stream no longer touches it.
    unowned(unsafe) var connection: HTTP2Connection
    /// 0 before it is opened.
    var id: Int32 = 0
    /// Position in the connection's list of open streams; -1 when closed.
    var position = -1
    var isOpen: Bool { position >= 0 }

    var input = Deframer()
    var inputEncoding = MessageEncoding.identity
    /// The peer has sent its last byte.
    var isInputComplete = false
    /// The call has failed for what its input said.
    var ignoresInput = false
    /// Bytes received whose window is not yet reopened.
    var heldWindow = 0

    var output = ByteQueue()
    var outputEncoding = MessageEncoding.identity
    /// Nothing will be added to `output`.
    var isOutputComplete = false
    /// The library was told that `output` is empty for now.
    var isDeferred = false
    /// Called once `output` has shrunk enough to go on, or the stream is closed.
    var onRoom: (() -> Void)?

    var deadline = Deadline.distantFuture

    init(connection: HTTP2Connection) {
        self.connection = connection
    }

    /// Prepares a used stream for the next call.
    func recycle(for connection: HTTP2Connection) {
        self.connection = connection
        id = 0
        input.removeAll()
        inputEncoding = .identity
        isInputComplete = false
        ignoresInput = false
        heldWindow = 0
        output.removeAll()
        outputEncoding = .identity
        isOutputComplete = false
        isDeferred = false
        onRoom = nil
        deadline = .distantFuture
    }

    // MARK: Events; the two sides override what concerns them

    func headerReceived(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {}
    func headersComplete() {}
    func messageReceived(_ message: UnsafeRawBufferPointer, wireSize: Int) throws(RPCError) {}
    func inputEnded() {}
    /// The deadline has passed.
    func expired() {}
    /// Input that contradicts the protocol or a limit.
    func inputFailed(_ error: RPCError) {}
    func closed(_ code: UInt32) {}
    /// False while the reader is so far behind that the peer should wait.
    var takesMore: Bool { true }
    /// True if trailers follow the last message.
    func submitTrailers() -> Bool { false }
}

// MARK: Messages

extension HTTP2Stream {
    /// Frames a message at the end of the output, compressed if the stream's encoding says so and it is worth it.
    final func enqueue(_ message: some RPCMessage) throws(RPCError) {
        let before = output.count
        try append(message)
        if isOpen { connection.queuedBytes += output.count - before }
    }

    private func append(_ message: some RPCMessage) throws(RPCError) {
        var plain: UnsafeMutableRawBufferPointer?
        defer { plain?.deallocate() }
        try message.serialize { (size) throws(RPCError) in
            guard size <= Int(UInt32.max) else {
                throw RPCError(.resourceExhausted, "a message of \(size) bytes does not fit the protocol")
            }
            if outputEncoding != .identity && size >= MessageCodec.sizeMinimum {
                let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
                plain = memory
                return memory
            }
            let room = output.extend(by: Deframer.prefixSize + size)
            Deframer.writePrefix(isCompressed: false, length: size, to: room)
            return UnsafeMutableRawBufferPointer(rebasing: room[Deframer.prefixSize...])
        }
        if let plain { try appendCompressed(UnsafeRawBufferPointer(plain)) }
    }

    private func appendCompressed(_ plain: UnsafeRawBufferPointer) throws(RPCError) {
        var packed = ByteQueue()
        do {
            try connection.codec.compress(plain, outputEncoding) { packed.append($0) }
        } catch {
            throw RPCError(.internal, "the message could not be compressed", cause: error)
        }
        let room = output.extend(by: Deframer.prefixSize + packed.count)
        Deframer.writePrefix(isCompressed: true, length: packed.count, to: room)
        UnsafeMutableRawBufferPointer(rebasing: room[Deframer.prefixSize...]).copyMemory(from: packed.readable)
    }

    /// Tells the connection that `output` or `isOutputComplete` changed.
    final func outputChanged() {
        guard isOpen else { return }
        if isDeferred {
            isDeferred = false
            connection.session.resume(id)
        }
        connection.outputChanged()
    }

    /// Takes back what is queued.
    final func dropOutput() {
        if isOpen { connection.queuedBytes -= output.count }
        output.removeAll()
    }

    final func receive(_ chunk: UnsafeRawBufferPointer) throws(RPCError) {
        let limit = connection.limits.messageBytesMax
        try input.receive(chunk, limit: limit) { (isCompressed, message) throws(RPCError) in
            let wireSize = message.count + Deframer.prefixSize
            guard isCompressed else { return try self.messageReceived(message, wireSize: wireSize) }
            let plain = try self.connection.codec.decompress(message, self.inputEncoding, limit: limit)
            try plain.span.withUnsafeBytes { (bytes) throws(RPCError) in
                try self.messageReceived(bytes, wireSize: wireSize)
            }
        }
    }

    /// Gives the call up for what its input said, and hears no more of it.
    final func refuse(_ error: RPCError) {
        ignoresInput = true
        input.removeAll()
        inputFailed(error)
    }
}
