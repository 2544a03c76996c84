import NIOCore
import NIOEmbedded
import RPC

/// Writes HTTP/2 frames by hand (RFC 9113), valid or not, without help from the code under test.
enum RawFrame {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags] + number(stream)
            + payload
    }

    static func number(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    static func settings(_ values: [(id: UInt16, value: UInt32)] = []) -> [UInt8] {
        frame(4, values.flatMap { [UInt8($0.id >> 8), UInt8($0.id & 255)] + number($0.value) })
    }

    static let settingsAcknowledgement = frame(4, flags: 1)
    static let ping = frame(6, [1, 2, 3, 4, 5, 6, 7, 8])

    static func reset(_ stream: UInt32, code: UInt32 = 8) -> [UInt8] {
        frame(3, stream: stream, number(code))
    }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
        frame(8, stream: stream, number(increment))
    }

    /// Header fields as literals without indexing (RFC 7541, 6.2.2), lengths below 127 + 128.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + text($0.0) + text($0.1) }
    }

    private static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return bytes.count < 127 ? [UInt8(bytes.count)] + bytes : [127] + varint(bytes.count - 127) + bytes
    }

    private static func varint(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
    }

    static func requestFields(_ path: String, _ extra: [(String, String)] = []) -> [(String, String)] {
        [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ] + extra
    }

    /// The headers of a call, in one frame.
    static func request(_ path: String, stream: UInt32, _ extra: [(String, String)] = []) -> [UInt8] {
        frame(1, flags: 4, stream: stream, block(requestFields(path, extra)))
    }

    static func data(_ stream: UInt32, _ payload: [UInt8], ends: Bool = false) -> [UInt8] {
        frame(0, flags: ends ? 1 : 0, stream: stream, payload)
    }

    /// A message with gRPC's prefix.
    static func message(_ text: String, flags: UInt8 = 0) -> [UInt8] {
        [flags] + number(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    /// Preface, settings and one whole unary call on stream 1.
    static func unaryCall(_ path: String, _ text: String, _ extra: [(String, String)] = []) -> [UInt8] {
        preface + settings() + request(path, stream: 1, extra) + data(1, message(text), ends: true)
    }
}

/// A frame that came out of the code under test.
struct ParsedFrame: Hashable {
    var type: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    var endsStream: Bool { flags & 1 != 0 }

    static func parse(_ bytes: [UInt8]) -> [ParsedFrame] {
        var frames: [ParsedFrame] = []
        var start = 0
        while bytes.count - start >= 9 {
            let length = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
            let stream = bytes[(start + 5)..<(start + 9)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let end = start + 9 + length
            frames.append(
                ParsedFrame(
                    type: bytes[start + 3], flags: bytes[start + 4], stream: stream,
                    payload: Array(bytes[(start + 9)..<end])))
            start = end
        }
        return frames
    }
}

/// A server connection driven by hand, without sockets and on a loop whose clock stands still.
final class RawServer {
    let service = TestService()
    let loop = EmbeddedEventLoop()
    let connection: ServerConnection
    private let serverLoop: ServerLoop
    var now = NIODeadline.now()

    init(_ configuration: ServerConfiguration = .init()) throws {
        let executor = LoopExecutor(loop)
        serverLoop = ServerLoop(Router(services: [service]), configuration, executor: executor)
        connection = try ServerConnection(serverLoop, peer: "test", now: now)
    }

    deinit {
        connection.connectionLost()
        loop.run()
    }

    /// Feeds bytes; false if the connection is to be dropped.
    @discardableResult
    func receive(_ bytes: [UInt8]) -> Bool {
        let isAlive = bytes.withUnsafeBytes { connection.receive($0, now: now) }
        loop.run()
        return isAlive
    }

    /// Everything there is to send now.
    func output() -> [UInt8] {
        loop.run()
        var all: [UInt8] = []
        var buffer = ByteBuffer()
        repeat {
            buffer.clear()
            _ = connection.send(into: &buffer, limit: 16 << 10, now: now)
            all += Array(buffer.readableBytesView)
            // What was sent may have made room for a writer.
            loop.run()
        } while buffer.readableBytes > 0
        return all
    }

    func frames() -> [ParsedFrame] { ParsedFrame.parse(output()) }
}
