public import Kernels

/// Collects tensors and writes them as one safetensors file.
///
/// The same tensors and metadata give the same bytes, whatever the order they were added in: tensors are laid out by
/// element size, largest first, then by name, which aligns every element without gaps (the format forbids gaps).
public struct SafetensorsWriter: Sendable {
    public var metadata: [String: String]
    private var entries: [String: Entry] = [:]

    private struct Entry: Sendable {
        var dataType: DataType
        var shape: [Int]
        var byteCount: Int
        /// Passes the tensor's bytes on: arrays and shared buffers without a copy.
        var withBytes: @Sendable (_ body: (UnsafeRawBufferPointer) -> Void) -> Void
    }

    /// Boundary of the first tensor: a cache line.
    private static let alignment = 64

    public init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// Adds a tensor; its values are kept, not copied, until the file is written.
    ///
    /// - Parameter shape: sizes of the dimensions, slowest first; `[values.count]` when left out.
    /// - Precondition: the name is new, and the shape holds as many elements as there are values.
    public mutating func add<Element: TensorElement>(
        _ name: String, _ values: some Collection<Element> & Sendable, shape: [Int]? = nil
    ) {
        let count = values.count
        add(name, Element.dataType, shape: shape ?? [count], byteCount: count * MemoryLayout<Element>.stride) { body in
            let passed: Void? = values.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
            if passed == nil { Array(values).withUnsafeBytes(body) }
        }
    }

    /// Adds a tensor of any element type from its little-endian bytes.
    public mutating func add(_ name: String, bytes: SharedBuffer<UInt8>, dataType: DataType, shape: [Int]) {
        add(name, dataType, shape: shape, byteCount: bytes.count) { body in
            bytes.withUnsafeBufferPointer { body(UnsafeRawBufferPointer($0)) }
        }
    }

    private mutating func add(
        _ name: String, _ dataType: DataType, shape: [Int], byteCount: Int,
        withBytes: @escaping @Sendable (_ body: (UnsafeRawBufferPointer) -> Void) -> Void
    ) {
        precondition(entries[name] == nil && name != "__metadata__", "the tensor name \"\(name)\" is taken")
        precondition(
            shape.allSatisfy { $0 >= 0 } && SafetensorsHeader.byteCount(dataType, shape) == byteCount,
            "tensor \"\(name)\" has \(byteCount) bytes, which is not what \(dataType.rawValue) \(shape) takes")
        entries[name] = Entry(dataType: dataType, shape: shape, byteCount: byteCount, withBytes: withBytes)
    }

    /// Bytes the file will have.
    public var size: Int {
        header().count + entries.values.reduce(0) { $0 + $1.byteCount }
    }

    /// Writes a temporary file beside `path`, fsyncs it and renames it: a reader never sees half a file.
    public func write(to path: String) throws(BlobError) {
        let header = header()
        guard header.count - 8 <= SafetensorsHeader.sizeMax else {
            throw BlobError(
                .unsupported,
                "\(path): expected a header of at most \(SafetensorsHeader.sizeMax) bytes, found \(header.count - 8)")
        }
        try FileSystem.replace(path) { (file) throws(BlobError) in
            try header.span.bytes.withUnsafeBytes { (bytes) throws(BlobError) in try file.write(bytes, at: 0) }
            var offset = header.count
            for (_, entry) in layout() {
                var failure: BlobError?
                entry.withBytes { bytes in
                    do throws(BlobError) { try file.write(bytes, at: offset) } catch { failure = error }
                }
                if let failure { throw failure }
                offset += entry.byteCount
            }
        }
    }

    private func layout() -> [(String, Entry)] {
        entries.map { ($0.key, $0.value) }.sorted {
            ($1.1.dataType.size, $0.0) < ($0.1.dataType.size, $1.0)
        }
    }

    /// Length, JSON and the spaces that align the first tensor.
    private func header() -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for (name, entry) in layout() {
            let shape = entry.shape.map(String.init).joined(separator: ",")
            let end = offset + entry.byteCount
            members.append(
                "\(quoted(name)):{\"dtype\":\"\(entry.dataType.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var json = Array("{\(members.joined(separator: ","))}".utf8)
        let padding = (Self.alignment - (8 + json.count) % Self.alignment) % Self.alignment
        json.append(contentsOf: repeatElement(0x20, count: padding))
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
    }

    /// A JSON string.
    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
