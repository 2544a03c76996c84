import Kernels
import Messages
public import RPC

/// The standard `grpc.reflection.v1.ServerReflection`, under its older name `v1alpha` too, which many tools still ask for.
public struct ReflectionService: RPCService {
    public static let serviceName = ServerReflectionMethods.service

    private let services: [String]
    private let catalogue: DescriptorCatalogue

    /// - Parameter services: full names of the services that the process offers.
    public init(services: [String]) {
        self.services = services.sorted()
        catalogue = DescriptorCatalogue(FileDescriptor.all)
    }

    public func register(in router: inout Router) {
        let current = ServerReflectionMethods.serverReflectionInfo
        let older = RPCMethod<Reflection.ServerReflectionRequest, Reflection.ServerReflectionResponse>(
            service: "grpc.reflection.v1alpha.ServerReflection", name: current.name)
        for method in [current, older] {
            router.bidirectional(method) { requests, _, writer throws(RPCError) in
                for try await request in requests {
                    try await writer.write(self.answer(request))
                }
            }
        }
    }

    func answer(_ request: Reflection.ServerReflectionRequest) -> Reflection.ServerReflectionResponse {
        Reflection.ServerReflectionResponse(
            validHost: request.host, originalRequest: request, messageResponse: response(to: request.messageRequest))
    }

    private func response(
        to request: Reflection.ServerReflectionRequest.MessageRequest?
    ) -> Reflection.ServerReflectionResponse.MessageResponse {
        switch request {
        case .listServices:
            .listServicesResponse(
                Reflection.ListServiceResponse(service: services.map { Reflection.ServiceResponse(name: $0) }))
        case .fileByFilename(let name):
            files(catalogue.closure(file: name), "no file '\(name)'")
        case .fileContainingSymbol(let symbol):
            files(catalogue.closure(symbol: symbol), "no symbol '\(symbol)'")
        case .fileContainingExtension(let wanted):
            failure(.notFound, "'\(wanted.containingType)' has no extensions")
        case .allExtensionNumbersOfType(let type):
            catalogue.closure(symbol: type) == nil
                ? failure(.notFound, "no type '\(type)'")
                : .allExtensionNumbersResponse(Reflection.ExtensionNumberResponse(baseTypeName: type))
        case nil:
            failure(.invalidArgument, "the request asks for nothing")
        }
    }

    private func files(
        _ files: [FileDescriptor]?, _ message: String
    ) -> Reflection.ServerReflectionResponse.MessageResponse {
        guard let files else { return failure(.notFound, message) }
        return .fileDescriptorResponse(
            Reflection.FileDescriptorResponse(fileDescriptorProto: files.map { SharedBuffer($0.serialized) }))
    }

    private func failure(
        _ code: RPCError.Code, _ message: String
    ) -> Reflection.ServerReflectionResponse.MessageResponse {
        .errorResponse(Reflection.ErrorResponse(errorCode: Int32(code.rawValue), errorMessage: message))
    }
}

/// Finds descriptors by file and by symbol, each with everything that it imports.
struct DescriptorCatalogue: Sendable {
    private let files: [String: FileDescriptor]
    private let fileOfSymbol: [String: String]

    init(_ all: [FileDescriptor]) {
        files = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        fileOfSymbol = Dictionary(
            all.flatMap { file in file.symbols.map { ($0, file.name) } }, uniquingKeysWith: { first, _ in first })
    }

    /// The file and, after it, the files it imports, each once; nil when there is no such file.
    func closure(file name: String) -> [FileDescriptor]? {
        guard let first = files[name] else { return nil }
        var found = [first]
        var next = 0
        while next < found.count {
            for dependency in found[next].dependencies.compactMap({ files[$0] })
            where !found.contains(where: { $0.name == dependency.name }) {
                found.append(dependency)
            }
            next += 1
        }
        return found
    }

    func closure(symbol: String) -> [FileDescriptor]? {
        fileOfSymbol[symbol].flatMap(closure(file:))
    }
}
