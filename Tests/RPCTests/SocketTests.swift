import Foundation
import RPC
import Synchronization
import Testing

/// A server on a free port that is shut down afterwards.
private func withServer(
    _ configuration: ServerConfiguration = .init(), service: TestService = TestService(),
    _ body: (Server, String) async throws -> Void
) async throws {
    let server = Server(configuration: configuration, services: [service], logger: quietLogger)
    let port = try await server.start()
    try await body(server, "127.0.0.1:\(port)")
    await server.shutdown(within: .seconds(5))
}

@Suite struct SocketTests {
    @Test func shutdownLetsCallsFinish() async throws {
        let service = TestService()
        try await withServer(service: service) { server, target in
            let client = try Client(targets: [target])
            let call = Task { try await client.unary(TestMethods.sleep, Blob("300")) }
            try await eventually { service.record.started.load(ordering: .relaxed) == 1 }
            await server.shutdown(within: .seconds(10))
            let answer = try await call.value
            #expect(answer.text == "slept")
            let error = await #expect(throws: RPCError.self) { try await client.unary(TestMethods.echo, Blob("x")) }
            #expect(error?.code == .unavailable)
            await client.close()
        }
    }

    @Test func shutdownEndsCallsThatTakeTooLong() async throws {
        let service = TestService()
        try await withServer(service: service) { server, target in
            let client = try Client(targets: [target])
            let call = Task { try await client.unary(TestMethods.sleep, Blob("60000")) }
            try await eventually { service.record.started.load(ordering: .relaxed) == 1 }
            await server.shutdown(within: .milliseconds(200))
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .unavailable)
            try await eventually { service.record.cancelled.load(ordering: .relaxed) >= 1 }
            await client.close()
        }
    }

    @Test func nobodyListening() async throws {
        let client = try Client(targets: ["127.0.0.1:1"])
        let error = await #expect(throws: RPCError.self) {
            try await client.unary(TestMethods.echo, Blob("x"), options: CallOptions(timeout: .seconds(10)))
        }
        #expect(error?.code == .unavailable)
        await client.close()
    }

    @Test func callsGoToTheReplicaThatLives() async throws {
        try await withServer { _, target in
            let client = try Client(targets: ["127.0.0.1:1", target])
            for _ in 0..<20 {
                let answer = try await client.unary(TestMethods.echo, Blob("x"))
                #expect(answer.text == "x")
            }
            await client.close()
        }
    }

    @Test func clientsReconnect() async throws {
        var configuration = ServerConfiguration()
        var clientConfiguration = ClientConfiguration()
        clientConfiguration.balancing.backoff.initial = .milliseconds(50)
        let first = Server(configuration: configuration, services: [TestService()], logger: quietLogger)
        configuration.port = try await first.start()
        let client = try Client(targets: ["127.0.0.1:\(configuration.port)"], configuration: clientConfiguration)
        let answer = try await client.unary(TestMethods.echo, Blob("one"))
        #expect(answer.text == "one")
        await first.shutdown(within: .seconds(1))
        let second = Server(configuration: configuration, services: [TestService()], logger: quietLogger)
        _ = try await second.start()
        var answers = 0
        for _ in 0..<200 where answers == 0 {
            if (try? await client.unary(TestMethods.echo, Blob("two"))) != nil { answers += 1 }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(answers == 1)
        await client.close()
        await second.shutdown(within: .seconds(1))
    }

    @Test func callsThatWaitForReadyOutliveARestart() async throws {
        var configuration = ServerConfiguration()
        let first = Server(configuration: configuration, services: [TestService()], logger: quietLogger)
        configuration.port = try await first.start()
        await first.shutdown(within: .seconds(1))
        let client = try Client(targets: ["127.0.0.1:\(configuration.port)"])
        let refused = await #expect(throws: RPCError.self) { try await client.unary(TestMethods.echo, Blob("none")) }
        #expect(refused?.code == .unavailable)
        var short = CallOptions(timeout: .milliseconds(50))
        short.waitsForReady = true
        let late = await #expect(throws: RPCError.self) {
            try await client.unary(TestMethods.echo, Blob("none"), options: short)
        }
        #expect(late?.code == .deadlineExceeded)
        var patient = CallOptions(timeout: .seconds(30))
        patient.waitsForReady = true
        let unary = Task { [patient] in try await client.unary(TestMethods.echo, Blob("two"), options: patient) }
        let second = Server(configuration: configuration, services: [TestService()], logger: quietLogger)
        _ = try await second.start()
        #expect(try await unary.value.text == "two")
        await client.close()
        await second.shutdown(within: .seconds(1))
    }

    @Test func closedClientsFailTheirCalls() async throws {
        let service = TestService()
        try await withServer(service: service) { _, target in
            let client = try Client(targets: [target])
            let call = Task { try await client.unary(TestMethods.sleep, Blob("60000")) }
            try await eventually { service.record.started.load(ordering: .relaxed) == 1 }
            await client.close()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func aPortInUseIsNamed() async throws {
        try await withServer { _, target in
            var configuration = ServerConfiguration()
            configuration.port = Int(target.split(separator: ":")[1]) ?? 0
            let second = Server(configuration: configuration, services: [TestService()], logger: quietLogger)
            let error = await #expect(throws: RPCError.self) { try await second.start() }
            #expect(error?.message.contains(target) == true)
        }
    }

    @Test(arguments: ["", "host", "host:", ":80", "host:0", "host:70000", "host:x"])
    func malformedTargets(text: String) {
        let error = #expect(throws: RPCError.self) { try Client(targets: [text]) }
        #expect(error?.code == .invalidArgument)
    }
}

@Suite struct TLSTests {
    /// An authority, and certificates it has signed, made by openssl in a directory of the test's own.
    private struct Certificates {
        let directory: URL

        init() throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            try openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-authority")
            for (name, alternative) in [
                ("server", "IP:127.0.0.1"), ("named", "DNS:named.test"), ("client", "DNS:client"),
            ] {
                try openssl("req -newkey rsa:2048 -nodes -keyout \(name).key -out \(name).csr -subj /CN=\(name)")
                try Data("subjectAltName=\(alternative)\n".utf8).write(to: directory.appending(path: "ext"))
                try openssl(
                    "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out \(name).pem"
                )
            }
            try openssl("req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other")
        }

        func path(_ name: String) -> String { directory.appending(path: name).path }

        func remove() { try? FileManager.default.removeItem(at: directory) }

        private func openssl(_ arguments: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = arguments.split(separator: " ").map(String.init)
            process.currentDirectoryURL = directory
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
    }

    @Test func callsOverTLS() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        var configuration = ServerConfiguration()
        configuration.tls = ServerTLS(
            certificateChain: certificates.path("server.pem"), privateKey: certificates.path("server.key"))
        try await withServer(configuration) { _, target in
            var trusting = ClientConfiguration()
            trusting.tls = ClientTLS(authorities: certificates.path("ca.pem"))
            let client = try Client(targets: [target], configuration: trusting)
            let message = Blob([UInt8](repeating: 5, count: 1 << 20))
            let answer = try await client.unary(TestMethods.echo, message)
            #expect(answer == message)
            await client.close()

            var doubting = ClientConfiguration()
            doubting.tls = ClientTLS(authorities: certificates.path("other.pem"))
            let second = try Client(targets: [target], configuration: doubting)
            let error = await #expect(throws: RPCError.self) { try await second.unary(TestMethods.echo, message) }
            #expect(error?.code == .unavailable)
            await second.close()
        }
    }

    @Test func theServersNameIsChecked() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        var configuration = ServerConfiguration()
        configuration.tls = ServerTLS(
            certificateChain: certificates.path("named.pem"), privateKey: certificates.path("named.key"))
        try await withServer(configuration) { _, target in
            for (name, isRight) in [("named.test", true), ("elsewhere.test", false), (nil, false)] {
                var configuration = ClientConfiguration()
                configuration.tls = ClientTLS(authorities: certificates.path("ca.pem"), serverName: name)
                let client = try Client(targets: [target], configuration: configuration)
                let answer = try? await client.unary(TestMethods.echo, Blob("x"))
                #expect((answer != nil) == isRight)
                await client.close()
            }
        }
    }

    @Test func mutualTLSLetsInOnlyItsOwn() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        var configuration = ServerConfiguration()
        configuration.tls = ServerTLS(
            certificateChain: certificates.path("server.pem"), privateKey: certificates.path("server.key"),
            clientAuthorities: certificates.path("ca.pem"))
        try await withServer(configuration) { _, target in
            var known = ClientConfiguration()
            known.tls = ClientTLS(
                authorities: certificates.path("ca.pem"), certificateChain: certificates.path("client.pem"),
                privateKey: certificates.path("client.key"))
            let client = try Client(targets: [target], configuration: known)
            let answer = try await client.unary(TestMethods.echo, Blob("let me in"))
            #expect(answer.text == "let me in")
            await client.close()

            var unknown = ClientConfiguration()
            unknown.tls = ClientTLS(authorities: certificates.path("ca.pem"))
            let second = try Client(targets: [target], configuration: unknown)
            let error = await #expect(throws: RPCError.self) { try await second.unary(TestMethods.echo, Blob("")) }
            #expect(error?.code == .unavailable)
            await second.close()
        }
    }

    @Test func missingFilesAreNamed() async throws {
        var configuration = ServerConfiguration()
        configuration.tls = ServerTLS(certificateChain: "/nonexistent/a.pem", privateKey: "/nonexistent/a.key")
        let server = Server(configuration: configuration, services: [TestService()], logger: quietLogger)
        let error = await #expect(throws: RPCError.self) { try await server.start() }
        #expect(error?.message.contains("/nonexistent/a.pem") == true)
        var client = ClientConfiguration()
        client.tls = ClientTLS(certificateChain: "/nonexistent/b.pem")
        #expect(throws: RPCError.self) { try Client(targets: ["127.0.0.1:1"], configuration: client) }
    }
}
