import CProtobufC
import Kernels

/// From the properties of a message to a structure's members.
///
/// Numeric and byte buffers stay where they are; only strings, whose storage Swift does not pin, are copied.
extension Arena {
    func bytes(_ string: String) -> ProtobufCBinaryData {
        let count = string.utf8.count
        guard count > 0 else { return ProtobufCBinaryData() }
        let memory = allocate(UInt8.self, count: count)
        _ = UnsafeMutableBufferPointer(start: memory, count: count).initialize(from: string.utf8)
        return ProtobufCBinaryData(len: count, data: memory)
    }

    func bytes(_ buffer: SharedBuffer<UInt8>) -> ProtobufCBinaryData {
        let (count, base) = values(buffer)
        return ProtobufCBinaryData(len: count, data: base)
    }

    func values<Element>(_ buffer: SharedBuffer<Element>) -> (Int, UnsafeMutablePointer<Element>?) {
        buffer.withUnsafeBufferPointer { ($0.count, UnsafeMutablePointer(mutating: $0.baseAddress)) }
    }

    func byteStrings(_ strings: [String]) -> (Int, UnsafeMutablePointer<ProtobufCBinaryData>?) {
        array(strings) { bytes($0) }
    }

    func byteStrings(_ buffers: [SharedBuffer<UInt8>]) -> (Int, UnsafeMutablePointer<ProtobufCBinaryData>?) {
        array(buffers) { bytes($0) }
    }

    func message<Message: CMessage>(_ message: Message?) -> UnsafeMutablePointer<Message.CValue>? {
        message.map { structure(of: $0) }
    }

    func messages<Message: CMessage>(
        _ messages: [Message]
    ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<Message.CValue>?>?) {
        array(messages) { structure(of: $0) }
    }

    /// A map field, by ascending key, so that equal messages have equal bytes.
    func entries<Entry>(
        _ dictionary: [String: String],
        _ fill: (UnsafeMutablePointer<Entry>, ProtobufCBinaryData, ProtobufCBinaryData) -> Void
    ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>?) {
        array(dictionary.sorted { $0.key < $1.key }) { key, value in
            let entry = allocate(Entry.self)
            fill(entry, bytes(key), bytes(value))
            return entry
        }
    }

    private func array<Element, CElement>(
        _ elements: [Element], _ convert: (Element) -> CElement
    ) -> (Int, UnsafeMutablePointer<CElement>?) {
        guard !elements.isEmpty else { return (0, nil) }
        let memory = allocate(CElement.self, count: elements.count)
        for (index, element) in elements.enumerated() {
            (memory + index).initialize(to: convert(element))
        }
        return (elements.count, memory)
    }
}
