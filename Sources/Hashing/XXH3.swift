internal import CXXHash

/// XXH3-64 (Collet), by libxxhash.
public enum XXH3 {
    /// - Complexity: O(n), about the speed of memory.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        XXH3_64bits(bytes.baseAddress, bytes.count)
    }
}
