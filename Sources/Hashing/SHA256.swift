internal import CCrypto

/// SHA-256 (FIPS 180-4) of bytes that come in pieces, by libcrypto.
public struct SHA256: Sendable {
    private var context = SHA256_CTX()

    public init() {
        let result = SHA256_Init(&context)
        precondition(result == 1, "libcrypto offers no SHA-256")
    }

    /// - Complexity: O(n), about 2 GB/s with the processor's SHA instructions.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let result = SHA256_Update(&context, bytes.baseAddress, bytes.count)
        precondition(result == 1, "libcrypto refused to hash")
    }

    /// The digest of everything given so far.
    public consuming func finish() -> Digest {
        var digest = [UInt8](repeating: 0, count: 32)
        let result = SHA256_Final(&digest, &context)
        precondition(result == 1, "libcrypto refused to finish a hash")
        return Digest(bytes: digest)
    }

    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
        var hasher = SHA256()
        hasher.update(bytes)
        return hasher.finish()
    }

    /// Bytes of a saved state.
    public static let stateSize = MemoryLayout<SHA256_CTX>.size

    /// Everything needed to continue later, on a machine of this kind.
    public var state: [UInt8] {
        withUnsafeBytes(of: context) { Array($0) }
    }

    /// Continues where a hash was saved; nil for bytes that are no state.
    public init?(state: [UInt8]) {
        guard state.count == Self.stateSize else { return nil }
        withUnsafeMutableBytes(of: &context) { $0.copyBytes(from: state) }
        // What libcrypto indexes its memory by.
        guard context.num < 64, context.md_len == 32 else { return nil }
    }

    /// 32 bytes, written as 64 lower-case hexadecimal digits.
    public struct Digest: Hashable, Sendable, CustomStringConvertible {
        public let bytes: [UInt8]

        fileprivate init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        /// Nil unless `hex` is 64 lower-case hexadecimal digits.
        public init?(hex: String) {
            let digits = Array(hex.utf8)
            guard digits.count == 64 else { return nil }
            var bytes: [UInt8] = []
            for index in stride(from: 0, to: 64, by: 2) {
                guard let high = Self.value(digits[index]), let low = Self.value(digits[index + 1]) else { return nil }
                bytes.append(high << 4 | low)
            }
            self.bytes = bytes
        }

        public var description: String {
            let digits = Array("0123456789abcdef".utf8)
            return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        }

        private static func value(_ digit: UInt8) -> UInt8? {
            switch digit {
            case 0x30...0x39: digit - 0x30
            case 0x61...0x66: digit - 0x61 + 10
            default: nil
            }
        }
    }
}
