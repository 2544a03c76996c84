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

    @Test(arguments: ["", "abc", String(repeating: "g", count: 64), String(repeating: "A", count: 64)])
    func refusesWhatIsNoDigest(_ hex: String) {
        #expect(SHA256.Digest(hex: hex) == nil)
    }
}
