import NIOCore
import RPC
import Synchronization
import Testing

private let echo = "/test.Test/Echo"
private let chat = "/test.Test/Chat"

@Suite struct ServerConnectionTests {
    @Test func answersAUnaryCall() throws {
        let server = try RawServer()
        #expect(server.receive(RawFrame.unaryCall(echo, "hello")))
        let frames = server.frames().filter { $0.stream == 1 }
        // Headers, the message, trailers that end the stream.
        #expect(frames.map(\.type) == [1, 0, 1])
        #expect(frames[1].payload == RawFrame.message("hello"))
        #expect(frames.map(\.endsStream) == [false, false, true])
    }

    @Test func aUnaryAnswerWaitsForTheEndOfTheRequest() throws {
        let server = try RawServer()
        server.receive(
            RawFrame.preface + RawFrame.settings() + RawFrame.request(echo, stream: 1)
                + RawFrame.data(1, RawFrame.message("hello")))
        #expect(!server.frames().contains { $0.stream == 1 })
        server.receive(RawFrame.data(1, [], ends: true))
        #expect(server.frames().filter { $0.stream == 1 }.map(\.type) == [1, 0, 1])
    }

    @Test func bytesMayBeCutAnywhere() throws {
        let input = RawFrame.unaryCall(echo, "hello", [("grpc-timeout", "1S")])
        let whole = try RawServer()
        whole.receive(input)
        let expected = whole.output()
        for cut in 1..<input.count {
            let server = try RawServer()
            server.receive(Array(input[..<cut]))
            server.receive(Array(input[cut...]))
            #expect(server.output() == expected, "cut at \(cut)")
        }
        let bytewise = try RawServer()
        for byte in input { bytewise.receive([byte]) }
        #expect(bytewise.output() == expected)
    }

    @Test(arguments: [1, 2, 4, 5, 6, 9, 100, 1004, 1005])
    func aMessageMayFillManyFrames(size: Int) throws {
        let server = try RawServer()
        let message = RawFrame.message(String(repeating: "x", count: 1000))
        var input = RawFrame.preface + RawFrame.settings() + RawFrame.request(echo, stream: 1)
        for start in stride(from: 0, to: message.count, by: size) {
            let end = min(start + size, message.count)
            input += RawFrame.data(1, Array(message[start..<end]), ends: end == message.count)
        }
        server.receive(input)
        let data = server.frames().filter { $0.type == 0 }.flatMap(\.payload)
        #expect(data == message)
    }

    @Test func aFrameMayHoldManyMessages() throws {
        let server = try RawServer()
        let messages = RawFrame.message("a") + RawFrame.message("") + RawFrame.message("c")
        server.receive(
            RawFrame.preface + RawFrame.settings() + RawFrame.request(chat, stream: 1)
                + RawFrame.data(1, messages, ends: true))
        let data = server.frames().filter { $0.type == 0 }.flatMap(\.payload)
        let expected = ["you said a", "you said ", "you said c", "goodbye"].flatMap { RawFrame.message($0) }
        #expect(data == expected)
    }

    @Test func bidirectionalCallsAnswerBeforeTheEnd() throws {
        let server = try RawServer()
        server.receive(RawFrame.preface + RawFrame.settings() + RawFrame.request(chat, stream: 1))
        server.receive(RawFrame.data(1, RawFrame.message("first")))
        #expect(server.frames().contains { $0.payload == RawFrame.message("you said first") })
        server.receive(RawFrame.data(1, RawFrame.message("second"), ends: true))
        let frames = server.frames()
        #expect(frames.first?.payload == RawFrame.message("you said second") + RawFrame.message("goodbye"))
        #expect(frames.last?.type == 1 && frames.last?.endsStream == true)
    }

    @Test func streamsInterleave() throws {
        let server = try RawServer()
        let streams: [UInt32] = [1, 3, 5, 7]
        server.receive(RawFrame.preface + RawFrame.settings())
        server.receive(streams.flatMap { RawFrame.request(echo, stream: $0) })
        for index in 0..<8 {
            // Byte by byte in turns; the message of each stream is its own number.
            for stream in streams {
                let message = RawFrame.message("\(stream)##")
                server.receive(RawFrame.data(stream, [message[index]], ends: index == 7))
            }
        }
        let frames = server.frames()
        for stream in streams {
            let data = frames.filter { $0.stream == stream && $0.type == 0 }.flatMap(\.payload)
            #expect(data == RawFrame.message("\(stream)##"))
        }
    }

    @Test func resetCancelsTheHandler() throws {
        let server = try RawServer()
        server.receive(
            RawFrame.preface + RawFrame.settings() + RawFrame.request("/test.Test/Flood", stream: 1)
                + RawFrame.data(1, RawFrame.message(""), ends: true))
        _ = server.output()
        #expect(server.service.record.cancelled.load(ordering: .relaxed) == 0)
        server.receive(RawFrame.reset(1))
        _ = server.output()
        #expect(server.service.record.cancelled.load(ordering: .relaxed) == 1)
    }

    @Test func aReaderThatStopsHoldsTheWriter() throws {
        var configuration = ServerConfiguration()
        configuration.limits.outboundQueueBytesMax = 256 << 10
        let server = try RawServer(configuration)
        // The stream's window is 128 KiB, the connection's 64 KiB less one byte.
        server.receive(
            RawFrame.preface + RawFrame.settings([(id: 4, value: 128 << 10)])
                + RawFrame.request("/test.Test/Flood", stream: 1) + RawFrame.data(1, RawFrame.message(""), ends: true))
        let first = server.frames().filter { $0.type == 0 }.reduce(0) { $0 + $1.payload.count }
        #expect(first == 65_535)
        // At most the window, the queue's limit and one message have been written.
        let written = server.service.record.written.load(ordering: .relaxed)
        #expect(written <= (65_535 + (256 << 10)) / (64 << 10) + 1)
        server.receive(RawFrame.windowUpdate(0, 1 << 20) + RawFrame.windowUpdate(1, 1 << 20))
        let second = server.frames().filter { $0.type == 0 }.reduce(0) { $0 + $1.payload.count }
        #expect(second == 1 << 20)
        #expect(server.service.record.written.load(ordering: .relaxed) > written)
    }

    @Test func aHandlerThatStopsHoldsTheSender() throws {
        // Sleep never reads its stream, so only the window bounds what a caller can send to Chat while it is busy.
        var configuration = ServerConfiguration()
        configuration.limits.streamWindow = 64 << 10
        let server = try RawServer(configuration)
        server.receive(RawFrame.preface + RawFrame.settings() + RawFrame.request(chat, stream: 1))
        _ = server.output()
        // A caller that reads nothing: answers fill the queue, the handler waits, and the window stays shut.
        server.receive(RawFrame.settings([(id: 4, value: 0)]))
        let message = RawFrame.message(String(repeating: "m", count: 8000))
        var updates: UInt32 = 0
        var sent = 0
        for _ in 0..<100 where sent + message.count <= (64 << 10) + Int(updates) {
            server.receive(RawFrame.data(1, message))
            sent += message.count
            for frame in server.frames() where frame.type == 8 && frame.stream == 1 {
                updates += frame.payload.reduce(0) { $0 << 8 | UInt32($1) }
            }
        }
        // Queue limit (256 KiB of answers) plus the inbox (half a window) plus a window: never the 800,000 offered.
        #expect(sent < (256 << 10) + (64 << 10) * 2 + 20_000)
        #expect(sent > 64 << 10)
    }

    @Test func drainSaysGoodbyeTwice() throws {
        let server = try RawServer()
        server.receive(RawFrame.preface + RawFrame.settings() + RawFrame.request(chat, stream: 1))
        _ = server.output()
        server.connection.drain()
        let notice = server.frames()
        #expect(notice.first { $0.type == 7 }?.payload.prefix(4) == [127, 255, 255, 255])
        let ping = try #require(notice.first { $0.type == 6 })
        // A call that was under way when the notice was sent is still taken.
        server.receive(RawFrame.request(echo, stream: 3) + RawFrame.data(3, RawFrame.message("late"), ends: true))
        #expect(server.frames().contains { $0.payload == RawFrame.message("late") })
        server.receive(RawFrame.frame(6, flags: 1, ping.payload))
        #expect(server.frames().first { $0.type == 7 }?.payload.prefix(4) == [0, 0, 0, 3])
        #expect(!server.connection.isFinished)
        server.receive(RawFrame.data(1, RawFrame.message("end"), ends: true))
        _ = server.output()
        #expect(server.connection.isFinished)
    }

    @Test func deadlinesEndCallsByTheClock() throws {
        let server = try RawServer()
        server.receive(
            RawFrame.preface + RawFrame.settings() + RawFrame.request(chat, stream: 1, [("grpc-timeout", "100m")]))
        _ = server.output()
        #expect(server.connection.nextEvent == server.now + .milliseconds(100))
        server.now = server.now + .milliseconds(99)
        #expect(server.connection.advance(to: server.now))
        #expect(server.frames().isEmpty)
        server.now = server.now + .milliseconds(1)
        #expect(server.connection.advance(to: server.now))
        let frames = server.frames()
        // Trailers only, and since the caller is still sending, a reset without blame.
        #expect(frames.map(\.type) == [1, 3])
        #expect(frames.first?.endsStream == true)
        #expect(frames.last?.payload == [0, 0, 0, 0])
    }

    @Test func quietPeersAreTestedAndDropped() throws {
        var configuration = ServerConfiguration()
        configuration.timing.keepaliveInterval = .seconds(10)
        configuration.timing.keepaliveTimeout = .seconds(5)
        let server = try RawServer(configuration)
        server.receive(RawFrame.preface + RawFrame.settings() + RawFrame.request(chat, stream: 1))
        _ = server.output()
        server.now = server.now + .seconds(10)
        #expect(server.connection.advance(to: server.now))
        let ping = try #require(server.frames().first { $0.type == 6 })
        server.now = server.now + .seconds(4)
        server.receive(RawFrame.frame(6, flags: 1, ping.payload))
        #expect(server.connection.advance(to: server.now + .seconds(5)))
        server.now = server.now + .seconds(10)
        #expect(server.connection.advance(to: server.now))
        #expect(server.frames().contains { $0.type == 6 })
        #expect(!server.connection.advance(to: server.now + .seconds(5)))
    }

    @Test func peersThatSayNothingAreDropped() throws {
        let server = try RawServer()
        _ = server.output()
        #expect(server.connection.nextEvent == server.now + .seconds(20))
        #expect(server.connection.advance(to: server.now + .seconds(19)))
        #expect(!server.connection.advance(to: server.now + .seconds(20)))
    }

    @Test func idleAndOldConnectionsAreDrained() throws {
        for isIdle in [true, false] {
            var configuration = ServerConfiguration()
            configuration.timing.keepaliveInterval = nil
            if isIdle {
                configuration.timing.idleMax = .seconds(30)
            } else {
                configuration.timing.ageMax = .seconds(30)
            }
            let server = try RawServer(configuration)
            server.receive(RawFrame.preface + RawFrame.settings() + RawFrame.request(chat, stream: 1))
            _ = server.output()
            #expect(server.connection.advance(to: server.now + .seconds(29)))
            #expect(server.frames().isEmpty)
            #expect(server.connection.advance(to: server.now + .seconds(30)))
            // A connection with a call in flight has no idle time, but an age.
            #expect(server.frames().contains { $0.type == 7 } == !isIdle)
        }
    }
}
