import Kernels
import Messages
import RPC
import Testing

@Suite struct BadInputTests {
    @Test(
        arguments: [
            ("a length beyond the end", [0x0A, 0x05, 0x61]),
            ("a tag cut short", [0x0A, 0x01, 0x61, 0x80]),
            ("field number 0", [0x02, 0x01, 0x61]),
            ("a group", [0x0B, 0x0C]),
            ("a string as a number", [0x08, 0x01]),
            ("a number as a string", [0x12, 0x01, 0x61]),
            ("not UTF-8", [0x0A, 0x02, 0xC3, 0x28]),
            ("an overlong encoding", [0x0A, 0x02, 0xC0, 0x80]),
            ("a length of 2^64 - 1", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x61]),
            ("a length of 2^32 - 1", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x61]),
        ] as [(String, [UInt8])])
    func isRefused(what: String, bytes: [UInt8]) {
        let error = #expect(throws: RPCError.self) { try decode(RecommendRequest.self, bytes) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix("tributary.v1.RecommendRequest") == true)
    }

    @Test func packedFixedArraysOfABrokenLengthAreRefused() {
        #expect(throws: RPCError.self) { try decode(RankRequest.self, [0x22, 0x07, 1, 2, 3, 4, 5, 6, 7]) }
    }

    @Test func unpackedArraysAreRead() throws {
        // Field 4 twice as single fixed64 values, as writers before proto3 may send them.
        let one: [UInt8] = [0x21, 9, 0, 0, 0, 0, 0, 0, 0]
        #expect(try decode(RankRequest.self, one + one).items == [9, 9])
    }

    @Test func unknownFieldsAreSkipped() throws {
        let request = try decode(
            RecommendRequest.self, [0x0A, 0x01, 0x61, 0xFA, 0x06, 0x02, 0x01, 0x02, 0xF8, 0x06, 0x05])
        #expect(request == RecommendRequest(userID: "a"))
    }

    @Test func aSmallMessageCannotExpandWithoutBound() {
        // One million empty events of two bytes each.
        let bytes = [UInt8](repeating: 0, count: 2_000_000).enumerated().map { $0.offset % 2 == 0 ? 0x0A : 0 as UInt8 }
        let error = #expect(throws: RPCError.self) { try decode(RecordEventsRequest.self, bytes) }
        #expect(error?.code == .resourceExhausted)
    }

    /// Decoding either throws or gives a message that encodes to what decodes to the same bytes again.
    private func survives<Message: RPCMessage>(_ type: Message.Type, _ bytes: [UInt8]) -> Bool {
        guard let message = try? decode(type, bytes) else { return false }
        guard let again = try? encode(message), let second = try? decode(type, again) else {
            Issue.record("\(type): its own encoding of \(bytes) is refused")
            return false
        }
        #expect((try? encode(second)) == again)
        return true
    }

    private func survivesAsEveryType(_ bytes: [UInt8]) -> Int {
        let outcomes = [
            survives(RecommendRequest.self, bytes), survives(RecommendResponse.self, bytes),
            survives(ExplainResponse.self, bytes), survives(RecordEventsRequest.self, bytes),
            survives(RankRequest.self, bytes), survives(RankResponse.self, bytes),
            survives(RecallRequest.self, bytes), survives(RecallResponse.self, bytes),
            survives(ListSnapshotsResponse.self, bytes), survives(BlobChunk.self, bytes),
            survives(Reflection.ServerReflectionRequest.self, bytes),
            survives(Reflection.ServerReflectionResponse.self, bytes),
        ]
        return outcomes.count { $0 }
    }

    @Test func everyPrefixOfAGoldenMessage() {
        for golden in Golden.all {
            for length in 0..<min(golden.bytes.count, 300) {
                _ = survivesAsEveryType(Array(golden.bytes.prefix(length)))
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func damagedAndRandomBytes(seed: UInt64) {
        var random = SplitMix(state: seed)
        var accepted = 0
        for round in 0..<400 {
            var bytes: [UInt8]
            if round % 2 == 0, let golden = Golden.all.randomElement(using: &random) {
                bytes = Array(golden.bytes.prefix(400))
                for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                }
            } else {
                let count = Int.random(in: 0...64, using: &random)
                bytes = (0..<count).map { _ in .random(in: 0...255, using: &random) }
            }
            accepted += survivesAsEveryType(bytes)
        }
        #expect(accepted > 0, "seed \(seed)")
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
