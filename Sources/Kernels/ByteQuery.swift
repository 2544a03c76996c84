import CKernels

/// A query rounded to bytes, for kernels that score rows of bytes. Filled anew for every query; belongs to one search at a
/// time.
public final class ByteQuery {
    private var bytes: UnsafeMutablePointer<Int8>
    private var pairs: UnsafeMutablePointer<Int16>
    private(set) var form: ck_byte_query

    public init() {
        bytes = .allocate(capacity: 4)
        pairs = .allocate(capacity: 4)
        form = ck_byte_query(bytes: bytes, pairs: pairs, groups: 1, offset: 0, scale: 0)
    }

    deinit {
        bytes.deallocate()
        pairs.deallocate()
    }

    /// - Parameter query: `[width]`, finite.
    /// - Complexity: O(width), no allocation unless `width` differs from the last.
    public func fill(_ query: UnsafePointer<Float>, width: Int) {
        let groups = (width + 3) / 4
        if groups != form.groups { resize(groups) }
        for place in width..<4 * groups { bytes[place] = 0 }
        form.scale = kernels.quantize(query, count: width, bytes: bytes)
        var sum: Int32 = 0
        for group in 0..<groups {
            for (place, source) in [0, 2, 1, 3].enumerated() {
                pairs[4 * group + place] = Int16(bytes[4 * group + source])
                sum += Int32(bytes[4 * group + source])
            }
        }
        form.offset = 128 * sum
    }

    private func resize(_ groups: Int) {
        bytes.deallocate()
        pairs.deallocate()
        bytes = .allocate(capacity: 4 * groups)
        pairs = .allocate(capacity: 4 * groups)
        form = ck_byte_query(bytes: bytes, pairs: pairs, groups: groups, offset: 0, scale: 0)
    }
}

/// Which of some rows count: row r when bit `first + r` is set; all of them when there are no bits.
public struct RowMask {
    let bits: UnsafePointer<UInt64>?
    let first: Int

    public static var all: RowMask { RowMask(bits: nil, first: 0) }

    /// - Parameter bits: readable up to 8 bytes past the last row's bit.
    public init(bits: UnsafePointer<UInt64>?, first: Int) {
        self.bits = bits
        self.first = first
    }

    var form: ck_rows { ck_rows(bits: bits, first: first) }
}
