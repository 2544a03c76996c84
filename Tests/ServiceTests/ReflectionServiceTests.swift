import Kernels
import Messages
import RPC
import Service
import Testing

@Suite struct ReflectionServiceTests {
    private let service = ReflectionService(services: ["tributary.v1.Recommender", "grpc.health.v1.Health"])

    private func answer(
        _ request: Reflection.ServerReflectionRequest.MessageRequest?
    ) -> Reflection.ServerReflectionResponse.MessageResponse? {
        service.answer(Reflection.ServerReflectionRequest(host: "h", messageRequest: request)).messageResponse
    }

    @Test func servicesAreListedInOrder() {
        let expected = ["grpc.health.v1.Health", "tributary.v1.Recommender"].map(Reflection.ServiceResponse.init(name:))
        #expect(answer(.listServices("*")) == .listServicesResponse(.init(service: expected)))
    }

    @Test(arguments: [
        "tributary.v1.Recommender", "tributary.v1.Recommender.Recommend", "tributary.v1.RecommendRequest",
        "tributary.v1.EventKind",
    ])
    func aSymbolLeadsToItsFile(symbol: String) throws {
        let name = Array("tributary/v1/recommender.proto".utf8)
        guard case .fileDescriptorResponse(let response) = answer(.fileContainingSymbol(symbol)) else {
            Issue.record("no file for \(symbol)")
            return
        }
        let file = try #require(response.fileDescriptorProto.first)
        // The file and the one that it imports.
        #expect(response.fileDescriptorProto.count == 2)
        // A FileDescriptorProto begins with field 1, its name.
        #expect(Array(file.prefix(2 + name.count)) == [0x0A, UInt8(name.count)] + name)
        #expect(answer(.fileByFilename("tributary/v1/recommender.proto")) == .fileDescriptorResponse(response))
    }

    @Test(
        arguments: [
            (.fileByFilename("no.proto"), 5),
            (.fileContainingSymbol("no.Symbol"), 5),
            (.fileContainingExtension(.init(containingType: "t", extensionNumber: 3)), 5),
            (.allExtensionNumbersOfType("no.Type"), 5),
            (nil, 3),
        ] as [(Reflection.ServerReflectionRequest.MessageRequest?, Int32)])
    func whatIsNotThereIsAnError(request: Reflection.ServerReflectionRequest.MessageRequest?, code: Int32) {
        guard case .errorResponse(let error) = answer(request) else {
            Issue.record("an answer to \(String(describing: request))")
            return
        }
        #expect(error.errorCode == code)
    }

    @Test func theRequestComesBackWithTheAnswer() {
        let request = Reflection.ServerReflectionRequest(host: "h", messageRequest: .listServices(""))
        let response = service.answer(request)
        #expect(response.validHost == "h")
        #expect(response.originalRequest == request)
    }
}
