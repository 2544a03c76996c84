import Logging
import RPC
import Testing

/// How a client reaches the test service: every case runs over each.
enum Transport: CaseIterable {
    case inProcess
    case sockets
}

/// Runs `body` with a client of a server that is shut down afterwards.
func withClient(
    _ transport: Transport, server: ServerConfiguration = .init(), client: ClientConfiguration = .init(),
    service: TestService = TestService(), _ body: (Client) async throws -> Void
) async throws {
    switch transport {
    case .inProcess:
        let transport = InProcessTransport(services: [service], configuration: server)
        let client = transport.makeClient(configuration: client)
        try await body(client)
        await client.close()
        await transport.shutdown(within: .seconds(5))
    case .sockets:
        let server = Server(configuration: server, services: [service], logger: Logger(label: "test"))
        let port = try await server.start()
        let client = try Client(targets: ["127.0.0.1:\(port)"], configuration: client)
        try await body(client)
        await client.close()
        await server.shutdown(within: .seconds(5))
    }
}

@Suite struct TransportTests {
    @Test(arguments: Transport.allCases)
    func unary(transport: Transport) async throws {
        try await withClient(transport) { client in
            for size in [0, 1, 1000, 16_384, 100_000, 4 << 20] {
                let message = Blob((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
                let answer = try await client.unary(TestMethods.echo, message)
                #expect(answer == message)
            }
        }
    }

    @Test(arguments: Transport.allCases)
    func manyAtATime(transport: Transport) async throws {
        try await withClient(transport) { client in
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let answer = try? await client.unary(TestMethods.echo, Blob("\(number)"))
                        return answer?.text == "\(number)"
                    }
                }
                for await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test(arguments: Transport.allCases)
    func serverStreaming(transport: Transport) async throws {
        try await withClient(transport) { client in
            var answers: [String] = []
            for try await answer in client.serverStreaming(TestMethods.count, Blob("1000")) {
                answers.append(answer.text)
            }
            #expect(answers == (0..<1000).map(String.init))
        }
    }
}
