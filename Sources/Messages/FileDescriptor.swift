/// One .proto file as server reflection hands it out.
public struct FileDescriptor: Sendable {
    /// Path under Protos/.
    public let name: String
    /// Full names of the services, methods, messages and enums that it declares.
    public let symbols: [String]
    /// Names of the files that it imports.
    public let dependencies: [String]
    /// A serialized `google.protobuf.FileDescriptorProto`.
    public let serialized: [UInt8]

    /// - Parameter latin1: The serialized bytes as Unicode scalars 0...255.
    init(name: String, symbols: [String], dependencies: [String], latin1: String) {
        self.name = name
        self.symbols = symbols
        self.dependencies = dependencies
        serialized = latin1.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }
}
