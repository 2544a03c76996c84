/// One tensor of a file: its type, shape and place.
public struct TensorInfo: Hashable, Sendable {
    public let name: String
    public let dataType: DataType
    /// Sizes of the dimensions, slowest first; empty for a scalar.
    public let shape: [Int]
    /// Where the elements lie, in bytes from the start of the file.
    public let range: Range<Int>

    /// Elements in all.
    public var count: Int { range.count / dataType.size }
}

/// The checked contents of a safetensors header.
///
/// Layout of a file: u64 little-endian length of the header, the header (JSON, may end in spaces), then the tensors
/// without gaps. Format: https://huggingface.co/docs/safetensors.
struct SafetensorsHeader {
    var metadata: [String: String] = [:]
    /// In the order of their bytes.
    var tensors: [TensorInfo] = []

    /// Largest header read or written: room for 100,000 tensors, and little enough to refuse a hostile length early.
    static let sizeMax = 16 << 20

    /// - Parameters:
    ///   - bytes: the header alone.
    ///   - dataStart: where the tensors begin in the file.
    ///   - fileSize: where they must end.
    init(_ bytes: [UInt8], dataStart: Int, fileSize: Int, path: String) throws(BlobError) {
        var scanner = HeaderScanner(bytes, startingAt: 8, path: path)
        var metadata: [String: String] = [:]
        var tensors: [TensorInfo] = []
        try scanner.object { (scanner, name) throws(BlobError) in
            if name == "__metadata__" {
                try scanner.object { (scanner, key) throws(BlobError) in metadata[key] = try scanner.string() }
            } else {
                tensors.append(try Self.tensor(name, &scanner, dataStart: dataStart, fileSize: fileSize, path: path))
            }
        }
        try scanner.expectEnd()
        self.metadata = metadata
        self.tensors = tensors.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        try checkCoverage(dataStart: dataStart, fileSize: fileSize, path: path)
    }

    private static func tensor(
        _ name: String, _ scanner: inout HeaderScanner, dataStart: Int, fileSize: Int, path: String
    ) throws(BlobError) -> TensorInfo {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { (scanner, key) throws(BlobError) in
            switch key {
            case "dtype": type = try scanner.string()
            case "shape": shape = try scanner.integers()
            case "data_offsets": offsets = try scanner.integers()
            default: throw scanner.failure("tensor \"\(name)\": unknown key \"\(key)\"")
            }
        }
        guard let type, let shape, let offsets else {
            throw scanner.failure("tensor \"\(name)\": expected dtype, shape and data_offsets")
        }
        guard let dataType = DataType(rawValue: type) else {
            throw BlobError(.unsupported, "\(path): tensor \"\(name)\": element type \"\(type)\" is not supported")
        }
        guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= fileSize - dataStart else {
            throw scanner.failure(
                "tensor \"\(name)\": expected two ascending data_offsets of at most \(fileSize - dataStart), "
                    + "found \(offsets)")
        }
        let expected = byteCount(dataType, shape)
        guard let expected, expected == offsets[1] - offsets[0] else {
            throw scanner.failure(
                "tensor \"\(name)\": expected \(expected.map(String.init) ?? "a countable number of") bytes "
                    + "for \(type) \(shape), found \(offsets[1] - offsets[0])")
        }
        return TensorInfo(
            name: name, dataType: dataType, shape: shape, range: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    /// Bytes of a tensor, or nil where the number is too large to count.
    static func byteCount(_ type: DataType, _ shape: [Int]) -> Int? {
        var count = type.size
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }

    /// The tensors must cover the data exactly: an overlap or a gap hides bytes from whoever checks the file.
    private func checkCoverage(dataStart: Int, fileSize: Int, path: String) throws(BlobError) {
        var end = dataStart
        for tensor in tensors {
            guard tensor.range.lowerBound == end else {
                let problem = tensor.range.lowerBound < end ? "overlaps the one before" : "leaves a gap before it"
                throw BlobError(
                    .corrupt,
                    "\(path): tensor \"\(tensor.name)\" \(problem): expected it at offset \(end), "
                        + "found it at \(tensor.range.lowerBound)")
            }
            end = tensor.range.upperBound
        }
        guard end == fileSize else {
            throw BlobError(.corrupt, "\(path): expected the file to end at offset \(end), found \(fileSize)")
        }
    }
}
