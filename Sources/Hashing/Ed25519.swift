internal import CCrypto

/// Ed25519 signatures (RFC 8032), by libcrypto. Keys come from PEM files as `openssl genpkey -algorithm ed25519` and
/// `openssl pkey -pubout` write them.
public enum Ed25519 {
    /// Bytes of a signature.
    public static let signatureSize = 64

    /// Why a key could not be used.
    public struct KeyError: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// Signs. Owns one `EVP_PKEY`, which is only read after init.
    public final class PrivateKey: Sendable {
        private let key: Key

        /// - Parameter pem: the bytes of a PEM file with an unencrypted private key.
        public init(pem: [UInt8]) throws(KeyError) {
            key = try Key(pem, "private") { PEM_read_bio_PrivateKey($0, nil, refusePassword, nil) }
        }

        public func sign(_ message: [UInt8]) throws(KeyError) -> [UInt8] {
            let context = EVP_MD_CTX_new()
            defer { EVP_MD_CTX_free(context) }
            var signature = [UInt8](repeating: 0, count: signatureSize)
            var size = signatureSize
            guard EVP_DigestSignInit(context, nil, nil, nil, key.handle) == 1,
                EVP_DigestSign(context, &signature, &size, message, message.count) == 1, size == signatureSize
            else { throw KeyError(description: "libcrypto refused to sign") }
            return signature
        }
    }

    /// Checks signatures. Owns one `EVP_PKEY`, which is only read after init.
    public final class PublicKey: Sendable {
        private let key: Key

        /// - Parameter pem: the bytes of a PEM file with a public key.
        public init(pem: [UInt8]) throws(KeyError) {
            key = try Key(pem, "public") { PEM_read_bio_PUBKEY($0, nil, refusePassword, nil) }
        }

        public func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
            let context = EVP_MD_CTX_new()
            defer { EVP_MD_CTX_free(context) }
            return EVP_DigestVerifyInit(context, nil, nil, nil, key.handle) == 1
                && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        }
    }

    // Sendable: the handle is fixed in init, and libcrypto reads keys from any thread.
    private final class Key: @unchecked Sendable {
        let handle: OpaquePointer

        init(_ pem: [UInt8], _ kind: String, read: (OpaquePointer) -> OpaquePointer?) throws(KeyError) {
            let handle = pem.withUnsafeBytes { bytes -> OpaquePointer? in
                guard let source = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
                defer { BIO_free(source) }
                return read(source)
            }
            ERR_clear_error()
            guard let handle else { throw KeyError(description: "expected an unencrypted \(kind) key in PEM form") }
            guard EVP_PKEY_get_base_id(handle) == EVP_PKEY_ED25519 else {
                EVP_PKEY_free(handle)
                throw KeyError(description: "expected an Ed25519 \(kind) key, found one of another kind")
            }
            self.handle = handle
        }

        deinit {
            EVP_PKEY_free(handle)
        }
    }
}

/// Never asks the terminal for a password: an encrypted key is refused.
private func refusePassword(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ writing: Int32, _ user: UnsafeMutableRawPointer?
) -> Int32 {
    -1
}
