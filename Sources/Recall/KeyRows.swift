import Blobs
import Kernels

/// Rows of a component that are found by an ascending key and span entries: `<key>` U64 `[k]`, `offsets` U64 `[k + 1]`.
///
/// Searched where it lies in the mapped file; nothing is copied.
struct KeyRows: Sendable {
    private let keys: SharedBuffer<UInt64>
    private let offsets: SharedBuffer<UInt64>

    /// - Parameter entries: how many the rows span.
    /// - Complexity: O(k): everything is checked.
    init(_ file: SafetensorsFile, key name: String, spanning entries: Int) throws(BlobError) {
        keys = try file.buffer(name, as: UInt64.self, shape: [nil])
        offsets = try file.offsets("offsets", spanning: entries, rows: keys.count)
        for row in keys.indices.dropFirst() where keys[row - 1] >= keys[row] {
            throw BlobError(
                .corrupt, "\(file.path): tensor \"\(name)\": row \(row) is \(keys[row]), not above \(keys[row - 1])")
        }
    }

    /// The entries of a key; none for one that is not there.
    ///
    /// - Complexity: O(log k).
    func entries(of key: UInt64) -> Range<Int> {
        keys.withUnsafeBufferPointer { keys in
            guard let row = keys.ascendingIndex(of: key) else { return 0..<0 }
            return Int(offsets[row])..<Int(offsets[row + 1])
        }
    }

    /// The entries of each row, for checks.
    var ranges: some Sequence<Range<Int>> {
        keys.indices.lazy.map { Int(offsets[$0])..<Int(offsets[$0 + 1]) }
    }
}
