import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOPosix

struct EchoService: RegistrableRPCService {
    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: "tributary.test.v1.Echo", method: "Unary"),
            deserializer: RequestDeserializer(),
            serializer: ResponseSerializer()
        ) { stream, _ in
            let request = try await ServerRequest(stream: stream)
            let values = request.message.map { Float($0 & 0xFFFF) * 0.5 }
            return StreamingServerResponse(single: ServerResponse(message: values))
        }
    }
}

/// `echo-grpc-swift PORT [CERTIFICATE KEY]`
@main
enum Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard [2, 4].contains(arguments.count), let port = Int(arguments[1]) else {
            print("usage: echo-grpc-swift PORT [CERTIFICATE KEY]")
            return
        }
        let security: HTTP2ServerTransport.Posix.TransportSecurity =
            arguments.count == 2
            ? .plaintext
            : .tls(
                certificateChain: [.file(path: arguments[2], format: .pem)],
                privateKey: .file(path: arguments[3], format: .pem))
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: port),
            transportSecurity: security,
            eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1))
        try await GRPCServer(transport: transport, services: [EchoService()]).serve()
    }
}
