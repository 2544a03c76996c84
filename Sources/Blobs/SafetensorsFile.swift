public import Kernels

/// A safetensors file, mapped into memory and checked: tensors are views of the mapping.
public struct SafetensorsFile: Sendable {
    public let path: String
    public let metadata: [String: String]
    /// In the order of their bytes.
    public let tensors: [TensorInfo]
    private let mapping: MappedFile
    private let byName: [String: Int]

    /// Maps the file and checks its header: sizes, offsets, types, and that the tensors cover the file exactly.
    ///
    /// - Complexity: O(tensors); the data is not read.
    public init(path: String) throws(BlobError) {
        let mapping = try MappedFile(path)
        let bytes = mapping.bytes
        guard bytes.count >= 8 else {
            throw BlobError(.corrupt, "\(path): expected at least 8 bytes of header length, found \(bytes.count)")
        }
        let length = bytes.withUnsafeBufferPointer { UnsafeRawBufferPointer($0).loadUnaligned(as: UInt64.self) }
        let limit = min(SafetensorsHeader.sizeMax, bytes.count - 8)
        guard length <= UInt64(limit) else {
            throw BlobError(.corrupt, "\(path): header length at offset 0: expected at most \(limit), found \(length)")
        }
        let dataStart = 8 + Int(length)
        let header = try SafetensorsHeader(
            Array(bytes[shared: 8..<dataStart]), dataStart: dataStart, fileSize: bytes.count, path: path)
        self.path = path
        self.mapping = mapping
        metadata = header.metadata
        tensors = header.tensors
        byName = Dictionary(uniqueKeysWithValues: header.tensors.enumerated().map { ($1.name, $0) })
    }

    /// Bytes of the file.
    public var size: Int { mapping.size }

    public func contains(_ name: String) -> Bool {
        byName[name] != nil
    }

    public func tensor(_ name: String) throws(BlobError) -> TensorInfo {
        guard let index = byName[name] else {
            throw BlobError(
                .missing,
                "\(path): no tensor \"\(name)\" among its \(tensors.count): "
                    + tensors.prefix(20).map(\.name).joined(separator: ", "))
        }
        return tensors[index]
    }

    /// The elements of a tensor, row-major, sharing the mapping.
    ///
    /// - Parameter shape: what the tensor's shape must be; nil entries are free. No check when left out.
    public func buffer<Element: TensorElement>(
        _ name: String, as type: Element.Type, shape: [Int?]? = nil
    ) throws(BlobError) -> SharedBuffer<Element> {
        let info = try tensor(name)
        guard info.dataType == Element.dataType else {
            throw BlobError(
                .mismatch,
                "\(path): tensor \"\(name)\": expected \(Element.dataType.rawValue), found \(info.dataType.rawValue)")
        }
        if let shape, !info.matches(shape) {
            let expected = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw BlobError(.mismatch, "\(path): tensor \"\(name)\": expected shape [\(expected)], found \(info.shape)")
        }
        guard info.range.lowerBound.isMultiple(of: MemoryLayout<Element>.alignment) else {
            throw BlobError(
                .corrupt,
                "\(path): tensor \"\(name)\" at offset \(info.range.lowerBound): "
                    + "expected a multiple of \(MemoryLayout<Element>.alignment)")
        }
        let bytes = mapping.bytes[shared: info.range]
        return bytes.withUnsafeBufferPointer {
            let base = UnsafeRawPointer($0.baseAddress)?.assumingMemoryBound(to: Element.self)
            return SharedBuffer(owner: mapping, base: base, count: info.count)
        }
    }

    /// The bytes of a tensor of any type.
    public func bytes(_ name: String) throws(BlobError) -> SharedBuffer<UInt8> {
        mapping.bytes[shared: try tensor(name).range]
    }

    /// Reads the whole file into memory ahead of its use.
    public func populate() {
        mapping.populate()
    }
}

extension TensorInfo {
    func matches(_ expected: [Int?]) -> Bool {
        expected.count == shape.count && zip(expected, shape).allSatisfy { $0 == nil || $0 == $1 }
    }
}
