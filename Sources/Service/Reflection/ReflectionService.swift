import Kernels
public import Messages
public import RPC

/// `grpc.reflection.v1.ServerReflection`: tells tools such as grpcurl what this server offers.
///
/// Answers under `v1alpha` too, whose messages are the same: older tools ask for nothing else.
public struct ReflectionService: RPCService {
    public static let serviceName = ServerReflectionMethods.service

    private typealias Request = Reflection.ServerReflectionRequest
    private typealias Response = Reflection.ServerReflectionResponse

    private static let alpha = RPCMethod<Reflection.ServerReflectionRequest, Reflection.ServerReflectionResponse>(
        service: "grpc.reflection.v1alpha.ServerReflection",
        name: ServerReflectionMethods.serverReflectionInfo.name)

    private let services: [String]
    private let files: [FileDescriptor]

    /// - Parameters:
    ///   - services: full names of the services to list.
    ///   - files: descriptors to answer from.
    public init(services: [String], files: [FileDescriptor] = FileDescriptor.all) {
        self.services = services.sorted()
        self.files = files
    }

    public func register(in router: inout Router) {
        for method in [ServerReflectionMethods.serverReflectionInfo, Self.alpha] {
            router.bidirectional(method) { [self] requests, _, responses throws(RPCError) in
                for try await request in requests {
                    try await responses.write(answer(request))
                }
            }
        }
    }

    package func answer(
        _ request: Reflection.ServerReflectionRequest
    ) -> Reflection.ServerReflectionResponse {
        Response(validHost: request.host, originalRequest: request, messageResponse: body(request))
    }

    private func body(_ request: Request) -> Response.MessageResponse {
        switch request.messageRequest {
        case .listServices:
            return .listServicesResponse(.init(service: services.map { Reflection.ServiceResponse(name: $0) }))
        case .fileByFilename(let name):
            return file("file '\(name)'") { $0.name == name }
        case .fileContainingSymbol(let symbol):
            return file("symbol '\(symbol)'") { $0.symbols.contains(symbol) }
        case .fileContainingExtension(let wanted):
            return failure(.notFound, "no file has extension \(wanted.extensionNumber) of '\(wanted.containingType)'")
        case .allExtensionNumbersOfType(let type):
            guard files.contains(where: { $0.symbols.contains(type) }) else {
                return failure(.notFound, "no file has a type '\(type)'")
            }
            return .allExtensionNumbersResponse(.init(baseTypeName: type))
        case nil:
            return failure(.invalidArgument, "the request asks for nothing")
        }
    }

    private func file(_ what: String, where isWanted: (FileDescriptor) -> Bool) -> Response.MessageResponse {
        guard let file = files.first(where: isWanted) else { return failure(.notFound, "no file has \(what)") }
        return .fileDescriptorResponse(
            .init(fileDescriptorProto: withDependencies(file).map { SharedBuffer($0.serialized) }))
    }

    /// The file and all it imports, each once.
    private func withDependencies(_ file: FileDescriptor) -> [FileDescriptor] {
        var found = [file]
        var next = 0
        while next < found.count {
            for name in found[next].dependencies where !found.contains(where: { $0.name == name }) {
                found += files.filter { $0.name == name }
            }
            next += 1
        }
        return found
    }

    private func failure(_ code: RPCError.Code, _ message: String) -> Response.MessageResponse {
        .errorResponse(.init(errorCode: Int32(code.rawValue), errorMessage: message))
    }
}
