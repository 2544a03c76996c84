internal import CXXHash

/// XXH3-64 (Collet), by libxxhash.
public enum XXH3 {
    /// - Complexity: O(n), about the speed of memory.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        XXH3_64bits(bytes.baseAddress, bytes.count)
    }
}

extension XXH3 {
    /// XXH3-64 of bytes that come in pieces. Owns one `XXH3_state_t`; one thread at a time.
    // Sendable: the state moves with its only owner.
    public struct Hasher: ~Copyable, @unchecked Sendable {
        private let state: OpaquePointer

        public init() {
            guard let state = XXH3_createState(), XXH3_64bits_reset(state) == XXH_OK else {
                preconditionFailure("no memory for a hash state")
            }
            self.state = state
        }

        deinit {
            XXH3_freeState(state)
        }

        /// - Complexity: O(n), about the speed of memory.
        public mutating func update(_ bytes: UnsafeRawBufferPointer) {
            let result = XXH3_64bits_update(state, bytes.baseAddress, bytes.count)
            precondition(result == XXH_OK, "libxxhash refused to hash")
        }

        /// The hash of everything given so far.
        public var value: UInt64 { XXH3_64bits_digest(state) }
    }
}
