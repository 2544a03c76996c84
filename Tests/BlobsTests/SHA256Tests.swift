import Hashing
import Testing

/// Expected digests: FIPS 180-4 example vectors (NIST CSRC, "SHA256.pdf") and sha256sum of coreutils.
@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func matchesPublishedVectors(_ text: String, _ hex: String) {
        #expect(Array(text.utf8).withUnsafeBytes { SHA256.hash($0) }.description == hex)
    }

    @Test func piecesHashLikeTheWhole() {
        // A million times "a", the last vector of FIPS 180-4.
        let piece = [UInt8](repeating: 0x61, count: 999)
        var hasher = SHA256()
        for _ in 0..<1001 { piece.withUnsafeBytes { hasher.update($0) } }
        piece.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<1])) }
        let digest = hasher.finish()
        #expect(digest.description == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(SHA256.Digest(hex: digest.description) == digest)
    }

    /// Saved inside a block, at its border and before the first byte.
    @Test(arguments: [0, 1, 63, 64, 640, 999])
    func aSavedStateIsContinued(_ cut: Int) throws {
        // sha256sum of a thousand times "a".
        let bytes = [UInt8](repeating: 0x61, count: 1000)
        var first = SHA256()
        bytes.withUnsafeBytes { first.update(UnsafeRawBufferPointer(rebasing: $0[..<cut])) }
        var second = try #require(SHA256(state: first.state))
        bytes.withUnsafeBytes { second.update(UnsafeRawBufferPointer(rebasing: $0[cut...])) }
        #expect(
            second.finish().description == "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3")
    }

    @Test func refusesWhatIsNoState() {
        let state = SHA256().state
        #expect(state.count == SHA256.stateSize)
        #expect(SHA256(state: Array(state.dropLast())) == nil && SHA256(state: []) == nil)
        #expect(SHA256(state: [UInt8](repeating: 0xFF, count: SHA256.stateSize)) == nil)
    }

    @Test(arguments: ["", "abc", String(repeating: "g", count: 64), String(repeating: "A", count: 64)])
    func refusesWhatIsNoDigest(_ hex: String) {
        #expect(SHA256.Digest(hex: hex) == nil)
    }
}
