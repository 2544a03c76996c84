internal import CNghttp2

/// Builds a header block and keeps its memory for the next one.
///
/// Names and values that are constants of the program are passed by address; all others are copied into `bytes`, and
/// their addresses filled in when the block is complete and the bytes can no longer move.
struct HeaderList: ~Copyable {
    private var entries: [nghttp2_nv] = []
    private var bytes: [UInt8] = []
    /// Where an entry's name and value start in `bytes`; -1 for constants.
    private var offsets: [(name: Int, value: Int)] = []

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
    }

    mutating func add(_ name: StaticString, _ value: StaticString) {
        entries.append(
            nghttp2_nv(
                name: UnsafeMutablePointer(mutating: name.utf8Start),
                value: UnsafeMutablePointer(mutating: value.utf8Start),
                namelen: name.utf8CodeUnitCount, valuelen: value.utf8CodeUnitCount,
                flags: HeaderFlag.constantName | HeaderFlag.constantValue))
        offsets.append((-1, -1))
    }

    /// - Parameter isIndexed: false for values that differ from call to call, which would only push others out of the
    ///   compression table.
    mutating func add(_ name: StaticString, _ value: some Collection<UInt8>, isIndexed: Bool = true) {
        offsets.append((-1, bytes.count))
        bytes.append(contentsOf: value)
        entries.append(
            nghttp2_nv(
                name: UnsafeMutablePointer(mutating: name.utf8Start), value: nil,
                namelen: name.utf8CodeUnitCount, valuelen: value.count,
                flags: HeaderFlag.constantName | (isIndexed ? 0 : HeaderFlag.notIndexed)))
    }

    mutating func add(_ metadata: Metadata) {
        for entry in metadata.entries {
            let nameOffset = bytes.count
            bytes.append(contentsOf: entry.key.utf8)
            let valueOffset = bytes.count
            switch entry.value {
            case .text(let text): bytes.append(contentsOf: text.utf8)
            case .binary(let binary): bytes.append(contentsOf: Base64.encode(binary))
            }
            offsets.append((nameOffset, valueOffset))
            entries.append(
                nghttp2_nv(
                    name: nil, value: nil, namelen: valueOffset - nameOffset, valuelen: bytes.count - valueOffset,
                    flags: 0))
        }
    }

    mutating func withEntries<Result>(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result) -> Result {
        bytes.withUnsafeMutableBufferPointer { memory in
            // A block without copied values has no memory to point at, and nothing to fill in.
            if let base = memory.baseAddress {
                for (index, offset) in offsets.enumerated() {
                    if offset.name >= 0 { entries[index].name = base + offset.name }
                    if offset.value >= 0 { entries[index].value = base + offset.value }
                }
            }
            return entries.withUnsafeBufferPointer(body)
        }
    }
}

/// Header blocks that never change, built once.
struct ConstantHeaders {
    let entries: UnsafeBufferPointer<nghttp2_nv>

    private init(_ fields: [(StaticString, StaticString)]) {
        let memory = UnsafeMutableBufferPointer<nghttp2_nv>.allocate(capacity: fields.count)
        _ = memory.initialize(
            from: fields.map { name, value in
                nghttp2_nv(
                    name: UnsafeMutablePointer(mutating: name.utf8Start),
                    value: UnsafeMutablePointer(mutating: value.utf8Start),
                    namelen: name.utf8CodeUnitCount, valuelen: value.utf8CodeUnitCount,
                    flags: HeaderFlag.constantName | HeaderFlag.constantValue)
            })
        entries = UnsafeBufferPointer(memory)
    }

    // Never changed once built, and alive as long as the process.
    /// How an answer without compression begins.
    nonisolated(unsafe) static let response = ConstantHeaders([
        (":status", "200"), ("content-type", "application/grpc"),
    ])
    /// How a call that went well ends.
    nonisolated(unsafe) static let trailers = ConstantHeaders([("grpc-status", "0")])
}

private enum HeaderFlag {
    static let constantName = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue)
    static let constantValue = UInt8(NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
    static let notIndexed = UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue)
}
