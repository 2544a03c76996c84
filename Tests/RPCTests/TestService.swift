import RPC
import Synchronization
import Testing

/// A message of raw bytes, so that tests see exactly what travelled.
struct Blob: RPCMessage, Hashable, CustomTestStringConvertible {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// Refuses the text "garbage", as a decoder refuses what is not its format.
    init(serialized bytes: UnsafeRawBufferPointer) throws(RPCError) {
        self.bytes = Array(bytes)
        if self.bytes == Array("garbage".utf8) { throw RPCError(.invalidArgument, "the message cannot be decoded") }
    }

    func serialize(into room: (_ byteCount: Int) throws(RPCError) -> UnsafeMutableRawBufferPointer) throws(RPCError) {
        try room(bytes.count).copyBytes(from: bytes)
    }

    var testDescription: String { "\(bytes.count) bytes: \(bytes.prefix(16))" }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// The methods that tests call.
enum TestMethods {
    static let echo = RPCMethod<Blob, Blob>(service: "test.Test", name: "Echo")
    static let fail = RPCMethod<Blob, Blob>(service: "test.Test", name: "Fail")
    static let sleep = RPCMethod<Blob, Blob>(service: "test.Test", name: "Sleep")
    static let describe = RPCMethod<Blob, Blob>(service: "test.Test", name: "Describe")
    static let count = RPCMethod<Blob, Blob>(service: "test.Test", name: "Count")
    static let torn = RPCMethod<Blob, Blob>(service: "test.Test", name: "Torn")
    static let flood = RPCMethod<Blob, Blob>(service: "test.Test", name: "Flood")
    static let chat = RPCMethod<Blob, Blob>(service: "test.Test", name: "Chat")
    static let missing = RPCMethod<Blob, Blob>(service: "test.Test", name: "Missing")
}

/// A service with one method per behaviour.
struct TestService: RPCService {
    static let serviceName = "test.Test"

    /// What handlers saw, for tests to ask about.
    final class Record: Sendable {
        let started = Atomic<Int>(0)
        let cancelled = Atomic<Int>(0)
        let written = Atomic<Int>(0)
    }

    let record = Record()

    func register(in router: inout Router) {
        router.unary(TestMethods.echo) { request, _ in request }
        router.unary(TestMethods.fail) { request, _ throws(RPCError) in
            var metadata = Metadata()
            try metadata.add(text: "yes", for: "retry-later")
            try metadata.add(binary: [0, 1, 255], for: "detail-bin")
            throw RPCError(.failedPrecondition, request.text, metadata: metadata)
        }
        router.unary(TestMethods.describe) { _, context in
            let user = context.metadata.text("user") ?? "-"
            let key = context.metadata.binary("key-bin") ?? []
            let hasDeadline = context.deadline != .distantFuture
            return Blob("\(context.method) \(user) \(key) \(hasDeadline)")
        }
        registerSleep(in: &router)
        registerStreams(in: &router)
    }

    /// Sleeps for the milliseconds in the request.
    private func registerSleep(in router: inout Router) {
        router.unary(TestMethods.sleep) { [record] request, _ throws(RPCError) in
            record.started.add(1, ordering: .relaxed)
            do {
                try await Task.sleep(for: .milliseconds(Int(request.text) ?? 0))
            } catch {
                record.cancelled.add(1, ordering: .relaxed)
                throw RPCError(.cancelled, "the sleep was cancelled")
            }
            return Blob("slept")
        }
    }

    private func registerStreams(in router: inout Router) {
        router.serverStreaming(TestMethods.count) { request, _, writer throws(RPCError) in
            for number in 0..<(Int(request.text) ?? 0) { try await writer.write(Blob("\(number)")) }
        }
        // As many messages, then an error.
        router.serverStreaming(TestMethods.torn) { request, _, writer throws(RPCError) in
            for number in 0..<(Int(request.text) ?? 0) { try await writer.write(Blob("\(number)")) }
            throw RPCError(.dataLoss, "torn")
        }
        // Messages of 64 KiB until the caller has had enough.
        router.serverStreaming(TestMethods.flood) { [record] _, _, writer throws(RPCError) in
            let message = Blob([UInt8](repeating: 7, count: 64 << 10))
            do throws(RPCError) {
                while true {
                    try await writer.write(message)
                    record.written.add(1, ordering: .relaxed)
                }
            } catch {
                record.cancelled.add(1, ordering: .relaxed)
                throw error
            }
        }
        router.bidirectional(TestMethods.chat) { requests, _, writer throws(RPCError) in
            for try await request in requests { try await writer.write(Blob("you said \(request.text)")) }
            try await writer.write(Blob("goodbye"))
        }
    }
}
