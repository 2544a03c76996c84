import Messages
import RPC
import Service
import Testing

@Suite struct HealthServiceTests {
    private let health = HealthService(services: ["tributary.v1.Recall"])

    private func check(_ service: String) async throws -> HealthService.Status {
        let client = InProcessTransport(services: [health]).makeClient()
        return try await client.unary(HealthMethods.check, Health.HealthCheckRequest(service: service)).status
    }

    @Test func aProcessServesOnceItIsReady() async throws {
        #expect(try await check("") == .notServing)
        #expect(try await check("tributary.v1.Recall") == .notServing)
        health.setAll(.serving)
        #expect(try await check("") == .serving)
        #expect(try await check("tributary.v1.Recall") == .serving)
    }

    @Test func anUnknownServiceIsNotFound() async throws {
        let error = await #expect(throws: RPCError.self) { try await check("tributary.v1.Nothing") }
        #expect(error?.code == .notFound)
    }

    @Test func aWatcherSeesEveryChange() async throws {
        let client = InProcessTransport(services: [health]).makeClient()
        var changes = client.serverStreaming(HealthMethods.watch, Health.HealthCheckRequest()).makeAsyncIterator()
        #expect(try await changes.next()?.status == .notServing)
        health.setAll(.serving)
        #expect(try await changes.next()?.status == .serving)
        health.setAll(.notServing)
        #expect(try await changes.next()?.status == .notServing)
    }

    @Test func watchingAnUnknownServiceSaysSo() async throws {
        let client = InProcessTransport(services: [health]).makeClient()
        let request = Health.HealthCheckRequest(service: "nothing")
        var changes = client.serverStreaming(HealthMethods.watch, request).makeAsyncIterator()
        #expect(try await changes.next()?.status == .serviceUnknown)
    }
}
