public import Kernels

/// Many strings in two columns: their UTF-8 bytes end to end, and where each begins.
public struct StringTable: Sendable {
    public var bytes: SharedBuffer<UInt8>
    /// `count + 1` offsets into `bytes`, ascending, the first 0.
    public var offsets: SharedBuffer<UInt64>

    /// - Precondition: `offsets` ascends from 0 to `bytes.count`; readers of files check before they call.
    public init(bytes: SharedBuffer<UInt8>, offsets: SharedBuffer<UInt64>) {
        precondition(offsets.first == 0 && offsets.last == UInt64(bytes.count), "offsets must span the bytes")
        self.bytes = bytes
        self.offsets = offsets
    }

    /// - Complexity: O(total length).
    public init(_ strings: some Sequence<String>) {
        var bytes: [UInt8] = []
        var offsets: [UInt64] = [0]
        for string in strings {
            bytes.append(contentsOf: string.utf8)
            offsets.append(UInt64(bytes.count))
        }
        self.init(bytes: SharedBuffer(bytes), offsets: SharedBuffer(offsets))
    }

    public var count: Int { offsets.count - 1 }

    public subscript(row: Int) -> String {
        String(decoding: bytes[shared: Int(offsets[row])..<Int(offsets[row + 1])], as: UTF8.self)
    }
}
