import Kernels
import NIOCore
import RPC
import Synchronization
import Testing

private let echo = "/test.Test/Echo"

/// What a peer may not do: every case ends in an error for the call or the connection, and nothing else.
@Suite struct HostileInputTests {
    private static let goAway: UInt8 = 7
    /// ENHANCE_YOUR_CALM.
    private static let calm: [UInt8] = [0, 0, 0, 11]

    private func isToldToCalm(_ server: RawServer) -> Bool {
        server.frames().contains { $0.type == Self.goAway && Array($0.payload[4..<8]) == Self.calm }
    }

    @Test func garbageInsteadOfHTTP2() throws {
        #expect(try !RawServer().receive(Array("GET / HTTP/1.1\r\n\r\n".utf8)))
        #expect(try !RawServer().receive([UInt8](repeating: 0, count: 1000)))
    }

    @Test func rapidReset() throws {
        let server = try RawServer()
        server.receive(RawFrame.preface + RawFrame.settings())
        _ = server.output()
        var isCalmed = false
        for number in 0..<5000 where !isCalmed {
            let stream = UInt32(number * 2 + 1)
            // The handler waits for a message that never comes.
            server.receive(RawFrame.request("/test.Test/Chat", stream: stream) + RawFrame.reset(stream))
            isCalmed = isToldToCalm(server)
            if isCalmed { #expect(number >= 1000) }
        }
        #expect(isCalmed)
        #expect(server.connection.isFinished)
    }

    @Test func resetsOfSomeCallsAreAllowed() throws {
        let server = try RawServer()
        server.receive(RawFrame.preface + RawFrame.settings())
        // As hedging clients do: one call in two is finished, one cancelled.
        for number in 0..<3000 {
            let stream = UInt32(number * 4 + 1)
            server.receive(
                RawFrame.request(echo, stream: stream) + RawFrame.data(stream, RawFrame.message("a"), ends: true))
            server.receive(RawFrame.request("/test.Test/Chat", stream: stream + 2) + RawFrame.reset(stream + 2))
            let frames = server.frames()
            #expect(!frames.contains { $0.type == Self.goAway })
            // The connection's window is the peer's to reopen.
            server.receive(RawFrame.windowUpdate(0, 100))
        }
    }

    @Test func continuationFlood() throws {
        let server = try RawServer()
        server.receive(RawFrame.preface + RawFrame.settings())
        server.receive(RawFrame.frame(1, stream: 1, RawFrame.block(RawFrame.requestFields(echo))))
        var count = 0
        while count < 1000, server.receive(RawFrame.frame(9, stream: 1)) { count += 1 }
        #expect(count == 8)
    }

    @Test(arguments: [RawFrame.ping, RawFrame.settings(), RawFrame.data(1, [])])
    func controlFrameFlood(frame: [UInt8]) throws {
        let server = try RawServer()
        server.receive(RawFrame.preface + RawFrame.settings() + RawFrame.request("/test.Test/Chat", stream: 1))
        _ = server.output()
        var count = 0
        while count < 5000, !isToldToCalm(server) {
            server.receive(frame)
            count += 1
        }
        #expect((990...1100).contains(count))
        #expect(server.connection.isFinished)
    }

    @Test func headersBeyondTheLimit() throws {
        let server = try RawServer()
        let big = (0..<100).map { ("header-\($0)", String(repeating: "v", count: 200)) }
        let fields = RawFrame.block(RawFrame.requestFields(echo, big))
        var input = RawFrame.preface + RawFrame.settings() + RawFrame.frame(1, stream: 1, Array(fields[..<16_000]))
        input += RawFrame.frame(9, flags: 4, stream: 1, Array(fields[16_000...]))
        #expect(server.receive(input))
        // The call is refused, the connection lives.
        #expect(server.frames().contains { $0.stream == 1 && $0.type == 1 && $0.endsStream })
        server.receive(RawFrame.request(echo, stream: 3) + RawFrame.data(3, RawFrame.message("next"), ends: true))
        #expect(server.frames().contains { $0.payload == RawFrame.message("next") })
    }

    /// Input of a unary call after its headers; each is refused without an answer's message.
    static let badBodies: [(String, [UInt8])] = [
        ("no message", RawFrame.data(1, [], ends: true)),
        ("half a prefix", RawFrame.data(1, [0, 0, 0], ends: true)),
        ("half a message", RawFrame.data(1, Array(RawFrame.message("hello").dropLast()), ends: true)),
        ("unknown flags", RawFrame.data(1, RawFrame.message("hello", flags: 7), ends: true)),
        ("compressed without encoding", RawFrame.data(1, RawFrame.message("hello", flags: 1), ends: true)),
        ("too large", RawFrame.data(1, [0, 255, 255, 255, 255])),
        ("one byte too large", RawFrame.data(1, [0, 0, 64, 0, 1])),
        ("not decodable", RawFrame.data(1, RawFrame.message("garbage"), ends: true)),
    ]

    @Test(arguments: badBodies)
    func badBody(name: String, body: [UInt8]) throws {
        let server = try RawServer()
        server.receive(RawFrame.preface + RawFrame.settings() + RawFrame.request(echo, stream: 1) + body)
        let frames = server.frames().filter { $0.stream == 1 }
        #expect(frames.first?.type == 1 && frames.first?.endsStream == true)
        #expect(!frames.contains { $0.type == 0 })
        server.receive(RawFrame.request(echo, stream: 3) + RawFrame.data(3, RawFrame.message("next"), ends: true))
        #expect(server.frames().contains { $0.payload == RawFrame.message("next") })
    }

    @Test func aSecondMessageOfAUnaryCallIsRefused() throws {
        let server = try RawServer()
        server.receive(
            RawFrame.preface + RawFrame.settings() + RawFrame.request("/test.Test/Sleep", stream: 1)
                + RawFrame.data(1, RawFrame.message("100000")))
        #expect(server.service.record.started.load(ordering: .relaxed) == 1)
        server.receive(RawFrame.data(1, RawFrame.message("again"), ends: true))
        #expect(server.frames().contains { $0.stream == 1 && $0.type == 1 && $0.endsStream })
    }

    @Test func twoMessagesInOneFrameAreRefused() throws {
        let server = try RawServer()
        server.receive(
            RawFrame.preface + RawFrame.settings() + RawFrame.request(echo, stream: 1)
                + RawFrame.data(1, RawFrame.message("a") + RawFrame.message("b"), ends: true))
        let frames = server.frames().filter { $0.stream == 1 }
        #expect(frames.map(\.type) == [1])
        #expect(frames.first?.endsStream == true)
    }

    @Test func dataForStreamsThatAreNoMore() throws {
        let server = try RawServer()
        let limits = HTTP2Limits()
        server.receive(RawFrame.preface + RawFrame.settings() + RawFrame.request("/test.Test/Nothing", stream: 1))
        #expect(server.frames().contains { $0.type == 3 && $0.stream == 1 })
        // What was under way when the call was refused does no harm; what comes on and on does.
        let data = RawFrame.data(1, [UInt8](repeating: 0, count: 16 << 10))
        var sent = 0
        while sent < 64 << 20, !isToldToCalm(server) {
            server.receive(data)
            sent += 16 << 10
        }
        #expect(sent > limits.streamWindow)
        #expect(sent <= limits.connectionWindow + limits.streamWindow)
        #expect(server.connection.isFinished)
    }

    static let badHeaders: [(String, [(String, String)])] = [
        ("unknown method", RawFrame.requestFields("/test.Test/Nothing")),
        ("malformed timeout", RawFrame.requestFields(echo, [("grpc-timeout", "soon")])),
        ("unknown encoding", RawFrame.requestFields(echo, [("grpc-encoding", "snappy")])),
        ("metadata that is not base64", RawFrame.requestFields(echo, [("key-bin", "###")])),
        ("passed deadline", RawFrame.requestFields(echo, [("grpc-timeout", "0m")])),
        ("not gRPC", RawFrame.requestFields(echo).map { $0.0 == "content-type" ? ($0.0, "text/html") : $0 }),
        ("not POST", RawFrame.requestFields(echo).map { $0.0 == ":method" ? ($0.0, "GET") : $0 }),
    ]

    @Test(arguments: badHeaders)
    func badHeader(name: String, fields: [(String, String)]) throws {
        let server = try RawServer()
        let headers = RawFrame.frame(1, flags: 4, stream: 1, RawFrame.block(fields))
        server.receive(
            RawFrame.preface + RawFrame.settings() + headers + RawFrame.data(1, RawFrame.message("x"), ends: true))
        let frames = server.frames().filter { $0.stream == 1 }
        #expect(frames.count == 1)
        #expect(frames.first?.type == 1 && frames.first?.endsStream == true)
    }

    @Test func unfinishedMessagesAreBounded() throws {
        var configuration = ServerConfiguration()
        configuration.limits.bufferedBytesMax = 100_000
        let server = try RawServer(configuration)
        server.receive(RawFrame.preface + RawFrame.settings())
        var refused = 0
        for number in 0..<20 {
            let stream = UInt32(number * 2 + 1)
            server.receive(RawFrame.request(echo, stream: stream))
            server.receive(RawFrame.data(stream, [0, 0, 1, 0, 0] + [UInt8](repeating: 1, count: 10_000)))
            refused += server.frames().count { $0.stream == stream && $0.type == 1 }
        }
        #expect(refused == 11)
    }

    /// Valid sessions with bytes changed, dropped and repeated: any answer will do but a crash or a hang.
    @Test(arguments: 1...8)
    func mutations(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let valid =
            RawFrame.preface + RawFrame.settings() + RawFrame.request(echo, stream: 1)
            + RawFrame.data(1, RawFrame.message("hello"), ends: true) + RawFrame.request("/test.Test/Chat", stream: 3)
            + RawFrame.data(3, RawFrame.message("a")) + RawFrame.windowUpdate(0, 5000) + RawFrame.reset(3)
            + RawFrame.ping + RawFrame.request("/test.Test/Count", stream: 5)
            + RawFrame.data(5, RawFrame.message("10"), ends: true)
        for _ in 0..<300 {
            var input = valid
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: RawFrame.preface.count..<input.count, using: &random)
                switch UInt8.random(in: 0..<4, using: &random) {
                case 0: input[position] = UInt8.random(in: 0...255, using: &random)
                case 1: input.remove(at: position)
                case 2: input.insert(UInt8.random(in: 0...255, using: &random), at: position)
                default: input[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
            }
            let server = try RawServer()
            server.receive(input)
            _ = server.output()
            _ = server.connection.advance(to: server.now + .seconds(3600))
            _ = server.output()
        }
    }
}
