import NIOCore
import RPC
import Testing

@Suite struct WireTests {
    /// grpc/doc/PROTOCOL-HTTP2.md: at most eight digits and a unit.
    static let timeouts: [(String, TimeAmount?)] = [
        ("1H", .hours(1)), ("2M", .minutes(2)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
        ("5u", .microseconds(5)), ("6n", .nanoseconds(6)), ("99999999m", .milliseconds(99_999_999)), ("0n", .zero),
        ("", nil), ("m", nil), ("1", nil), ("1x", nil), ("-1S", nil), ("1 S", nil), ("999999999m", nil), ("1.5S", nil),
    ]

    @Test(arguments: timeouts)
    func parsesTimeouts(text: String, expected: TimeAmount?) {
        let bytes = Array(text.utf8)
        #expect(bytes.withUnsafeBytes { Timeout.parse($0) } == expected)
    }

    static let written: [(TimeAmount, String)] = [
        (.nanoseconds(1), "1n"), (.nanoseconds(999), "999n"), (.microseconds(1), "1u"), (.milliseconds(250), "250000u"),
        (.seconds(99), "99000000u"), (.seconds(100), "100000m"), (.hours(24), "86400000m"), (.hours(28), "100800S"),
        (.zero, "1n"), (.nanoseconds(-5), "1n"),
    ]

    @Test(arguments: written)
    func writesTimeouts(timeout: TimeAmount, expected: String) {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { buffer in
            let count = Timeout.format(timeout, into: buffer)
            let text = String(decoding: buffer[..<count], as: UTF8.self)
            #expect(text == expected)
        }
    }

    static let messages: [(String, String)] = [
        ("plain text", "plain text"), ("100 %", "100 %25"), ("caf\u{e9}", "caf%C3%A9"), ("line\nbreak", "line%0Abreak"),
        ("", ""), ("~}|", "~}|"),
    ]

    @Test(arguments: messages)
    func percentEncodes(text: String, encoded: String) {
        #expect(PercentEncoding.encode(text) == Array(encoded.utf8))
        let bytes = Array(encoded.utf8)
        #expect(bytes.withUnsafeBytes { PercentEncoding.decode($0) } == text)
    }

    @Test func percentDecodingKeepsWhatIsNoEscape() {
        let bytes = Array("50% off %zz %4".utf8)
        #expect(bytes.withUnsafeBytes { PercentEncoding.decode($0) } == "50% off %zz %4")
    }

    /// RFC 4648, section 10, without the padding.
    static let base64: [(String, String)] = [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test(arguments: base64)
    func encodesBase64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == Array(encoded.utf8))
        for padding in ["", "="] {
            let bytes = Array((encoded + padding).utf8)
            #expect(bytes.withUnsafeBytes { Base64.decode($0) } == Array(text.utf8))
        }
        let bad = Array("Zm9v!".utf8)
        #expect(bad.withUnsafeBytes { Base64.decode($0) } == nil)
    }

    /// The table of grpc/doc/statuscodes.md.
    @Test func statusCodesHaveTheirNumbers() {
        #expect(RPCError.Code.cancelled.rawValue == 1)
        #expect(RPCError.Code.deadlineExceeded.rawValue == 4)
        #expect(RPCError.Code.resourceExhausted.rawValue == 8)
        #expect(RPCError.Code.failedPrecondition.rawValue == 9)
        #expect(RPCError.Code.unimplemented.rawValue == 12)
        #expect(RPCError.Code.unavailable.rawValue == 14)
        #expect(RPCError.Code.unauthenticated.rawValue == 16)
        #expect(RPCError.Code.allCases.map(\.name).contains("DATA_LOSS"))
        #expect(RPCError.Code(rawValue: 15)?.name == "DATA_LOSS")
    }

    @Test func metadataRefusesWhatHTTP2Would() {
        var metadata = Metadata()
        #expect(throws: RPCError.self) { try metadata.add(text: "v", for: "Upper") }
        #expect(throws: RPCError.self) { try metadata.add(text: "v", for: "") }
        #expect(throws: RPCError.self) { try metadata.add(text: "v", for: "grpc-status") }
        #expect(throws: RPCError.self) { try metadata.add(text: "line\nbreak", for: "key") }
        #expect(throws: RPCError.self) { try metadata.add(text: "v", for: "key-bin") }
        #expect(throws: RPCError.self) { try metadata.add(binary: [1], for: "key") }
        #expect(metadata.isEmpty)
    }

    @Test func deadlinesCountDown() {
        #expect(Deadline(timeout: .seconds(-1)).hasPassed)
        #expect(Deadline(timeout: .seconds(-1)).remaining == .zero)
        #expect(!Deadline.distantFuture.hasPassed)
        #expect(Deadline(timeout: .seconds(Int64.max)) == .distantFuture)
        let soon = Deadline(timeout: .seconds(100))
        #expect(soon.remaining <= .seconds(100) && soon.remaining > .seconds(90))
    }
}
