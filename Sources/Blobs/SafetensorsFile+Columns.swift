public import Kernels

extension SafetensorsFile {
    /// Row boundaries of a ragged column: `offsets[i]..<offsets[i + 1]` are row i's elements.
    ///
    /// - Parameters:
    ///   - count: elements of the column that the offsets cut into rows.
    ///   - rows: rows there must be; any number when nil.
    /// - Returns: `[rows + 1]`, checked to ascend from 0 to `count`.
    /// - Complexity: O(rows).
    public func offsets(_ name: String, spanning count: Int, rows: Int? = nil) throws(BlobError) -> SharedBuffer<UInt64>
    {
        let offsets = try buffer(name, as: UInt64.self, shape: [rows.map { $0 + 1 }])
        guard let first = offsets.first, let last = offsets.last, first == 0, last == UInt64(count) else {
            throw BlobError(
                .corrupt,
                "\(path): tensor \"\(name)\": expected offsets from 0 to \(count), found "
                    + (offsets.isEmpty ? "none" : "\(offsets[0]) to \(offsets[offsets.count - 1])"))
        }
        let fault = offsets.withUnsafeBufferPointer { values in
            (1..<values.count).first { values[$0] < values[$0 - 1] }
        }
        if let fault {
            throw BlobError(
                .corrupt,
                "\(path): tensor \"\(name)\": row \(fault - 1) ends at \(offsets[fault]), "
                    + "before it begins at \(offsets[fault - 1])")
        }
        return offsets
    }

    /// The two columns of a table of strings, `<name>.bytes` and `<name>.offsets`, checked against each other.
    ///
    /// - Complexity: O(rows).
    public func strings(
        _ name: String, rows: Int? = nil
    ) throws(BlobError) -> (bytes: SharedBuffer<UInt8>, offsets: SharedBuffer<UInt64>) {
        let bytes = try buffer("\(name).bytes", as: UInt8.self, shape: [nil])
        return (bytes, try offsets("\(name).offsets", spanning: bytes.count, rows: rows))
    }
}

extension SafetensorsWriter {
    /// Adds a table of strings as `<name>.bytes` and `<name>.offsets`.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8 of all strings, end to end.
    ///   - offsets: `[rows + 1]`, ascending from 0 to `bytes.count`.
    public mutating func add(strings name: String, bytes: SharedBuffer<UInt8>, offsets: SharedBuffer<UInt64>) {
        precondition(offsets.first == 0 && offsets.last == UInt64(bytes.count), "offsets must span the bytes")
        add("\(name).bytes", bytes)
        add("\(name).offsets", offsets)
    }
}
