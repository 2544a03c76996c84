import Logging
import RPC
import Synchronization
import Testing

/// How a client reaches the test service: every case runs over each.
enum Transport: CaseIterable {
    case inProcess
    case sockets
}

let quietLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
}()

/// Runs `body` with a client of a server that is shut down afterwards.
func withClient(
    _ transport: Transport, server: ServerConfiguration = .init(), client: ClientConfiguration = .init(),
    service: TestService = TestService(), eventLoops: EventLoops = .shared,
    _ body: (Client) async throws -> Void
) async throws {
    switch transport {
    case .inProcess:
        let transport = InProcessTransport(services: [service], configuration: server, eventLoops: eventLoops)
        let client = transport.makeClient(configuration: client)
        try await body(client)
        await client.close()
        await transport.shutdown(within: .seconds(5))
    case .sockets:
        let server = Server(
            configuration: server, services: [service], logger: quietLogger, eventLoops: eventLoops)
        let port = try await server.start()
        let client = try Client(targets: ["127.0.0.1:\(port)"], configuration: client, eventLoops: eventLoops)
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
    func connectionsAreReplacedBeforeTheirStreamIdsRunOut(transport: Transport) async throws {
        var configuration = ClientConfiguration()
        configuration.timing.callsMax = 7
        configuration.balancing.backoff.initial = .zero
        configuration.attempts.attemptsMaximum = 1
        try await withClient(transport, client: configuration) { client in
            for number in 0..<100 {
                let answer = try await client.unary(TestMethods.echo, Blob("\(number)"))
                #expect(answer.text == "\(number)")
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

    @Test(arguments: Transport.allCases)
    func messagesBeforeAnErrorArrive(transport: Transport) async throws {
        try await withClient(transport) { client in
            var answers: [String] = []
            let responses = client.serverStreaming(TestMethods.torn, Blob("100"))
            let error = await #expect(throws: RPCError.self) {
                for try await answer in responses {
                    // The error has most likely come by the time the second message is asked for.
                    if answers.isEmpty { try await Task.sleep(for: .milliseconds(200)) }
                    answers.append(answer.text)
                }
            }
            #expect(error?.code == .dataLoss)
            #expect(answers == (0..<100).map(String.init))
        }
    }

    @Test(arguments: Transport.allCases)
    func errorsCarryCodeMessageAndMetadata(transport: Transport) async throws {
        try await withClient(transport) { client in
            let error = await #expect(throws: RPCError.self) {
                try await client.unary(TestMethods.fail, Blob("100 % b\u{f6}se\n"))
            }
            #expect(error?.code == .failedPrecondition)
            #expect(error?.message == "100 % b\u{f6}se\n")
            #expect(error?.metadata.text("retry-later") == "yes")
            #expect(error?.metadata.binary("detail-bin") == [0, 1, 255])
            let missing = await #expect(throws: RPCError.self) {
                try await client.unary(TestMethods.missing, Blob(""))
            }
            #expect(missing?.code == .unimplemented)
        }
    }

    @Test(arguments: Transport.allCases)
    func handlersSeeMetadataAndDeadline(transport: Transport) async throws {
        try await withClient(transport) { client in
            var metadata: Metadata = ["user": "ann"]
            try metadata.add(binary: [9, 8, 7], for: "key-bin")
            let options = CallOptions(timeout: .seconds(5), metadata: metadata)
            let answer = try await client.unary(TestMethods.describe, Blob(""), options: options)
            #expect(answer.text == "/test.Test/Describe ann [9, 8, 7] true")
        }
    }

    @Test(arguments: Transport.allCases)
    func deadlinesCancelTheHandler(transport: Transport) async throws {
        let service = TestService()
        try await withClient(transport, service: service) { client in
            // Once connected, so that the deadline is spent in the handler.
            _ = try await client.unary(TestMethods.echo, Blob("x"))
            let options = CallOptions(timeout: .seconds(2))
            let error = await #expect(throws: RPCError.self) {
                try await client.unary(TestMethods.sleep, Blob("60000"), options: options)
            }
            #expect(error?.code == .deadlineExceeded)
            try await eventually { service.record.cancelled.load(ordering: .relaxed) == 1 }
            let passed = await #expect(throws: RPCError.self) {
                try await client.unary(TestMethods.echo, Blob("x"), options: CallOptions(timeout: .zero))
            }
            #expect(passed?.code == .deadlineExceeded)
        }
    }

    @Test(arguments: Transport.allCases)
    func cancellingTheTaskCancelsTheHandler(transport: Transport) async throws {
        let service = TestService()
        try await withClient(transport, service: service) { client in
            let task = Task { try await client.unary(TestMethods.sleep, Blob("60000")) }
            try await eventually { service.record.started.load(ordering: .relaxed) == 1 }
            task.cancel()
            let error = await #expect(throws: RPCError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            try await eventually { service.record.cancelled.load(ordering: .relaxed) == 1 }
        }
    }

    @Test(arguments: Transport.allCases, MessageEncoding.allCases)
    func encodings(transport: Transport, encoding: MessageEncoding) async throws {
        try await withClient(transport) { client in
            for size in [0, 511, 512, 100_000, 3 << 20] {
                let message = Blob((0..<size).map { UInt8(truncatingIfNeeded: $0 / 100) })
                let options = CallOptions(timeout: .seconds(30), encoding: encoding)
                let answer = try await client.unary(TestMethods.echo, message, options: options)
                #expect(answer == message)
            }
        }
    }

    @Test(arguments: Transport.allCases, MessageEncoding.allCases)
    func messagesBeyondTheLimitAreRefused(transport: Transport, encoding: MessageEncoding) async throws {
        var server = ServerConfiguration()
        server.limits.messageBytesMax = 1 << 20
        try await withClient(transport, server: server) { client in
            // Zeros: compressed they are far below the limit, and a bomb for who unpacks without one.
            let options = CallOptions(timeout: .seconds(30), encoding: encoding)
            let error = await #expect(throws: RPCError.self) {
                try await client.unary(TestMethods.echo, Blob([UInt8](repeating: 0, count: 8 << 20)), options: options)
            }
            #expect(error?.code == .resourceExhausted)
            let answer = try await client.unary(TestMethods.echo, Blob("still here"), options: options)
            #expect(answer.text == "still here")
        }
    }

    @Test(arguments: Transport.allCases)
    func aSlowReaderHoldsTheServer(transport: Transport) async throws {
        let service = TestService()
        try await withClient(transport, service: service) { client in
            var iterator: MessageStream<Blob>.Iterator? = client.serverStreaming(TestMethods.flood, Blob(""))
                .makeAsyncIterator()
            let first = try await iterator?.next()
            #expect(first?.bytes.count == 64 << 10)
            try await Task.sleep(for: .milliseconds(200))
            // Windows of 1 MiB, a queue of 256 KiB, and what sockets buffer (some MiB): not the hundreds it could write.
            let written = service.record.written.load(ordering: .relaxed)
            #expect(written < 200)
            for _ in 0..<300 { _ = try await iterator?.next() }
            #expect(service.record.written.load(ordering: .relaxed) > written)
            iterator = nil
            // Letting go of the iterator cancels the call.
            try await eventually { service.record.cancelled.load(ordering: .relaxed) == 1 }
        }
    }

    @Test(arguments: Transport.allCases)
    func busyServersRefuse(transport: Transport) async throws {
        var server = ServerConfiguration()
        server.runningCallsPerLoopMax = 1
        server.waitingCallsPerLoopMax = 1
        let eventLoops = EventLoops(count: 1)
        let service = TestService()
        try await withClient(transport, server: server, service: service, eventLoops: eventLoops) { client in
            let running = Task { try await client.unary(TestMethods.sleep, Blob("60000")) }
            try await eventually { service.record.started.load(ordering: .relaxed) == 1 }
            // Two more: whichever comes second finds one running and one waiting, and is the first to end.
            await withTaskGroup(of: Result<Blob, any Error>.self) { group in
                for _ in 0..<2 {
                    group.addTask { await Task { try await client.unary(TestMethods.echo, Blob("x")) }.result }
                }
                let refused = await group.next()
                #expect(throws: RPCError.self) { try refused?.get() }
                if case .failure(let error as RPCError) = refused { #expect(error.code == .resourceExhausted) }
                running.cancel()
                let answered = await group.next()
                #expect((try? answered?.get())?.text == "x")
            }
        }
        try await eventLoops.shutdown()
    }

    @Test(arguments: Transport.allCases)
    func waitingCallsWithAPassedDeadlineNeverStart(transport: Transport) async throws {
        var server = ServerConfiguration()
        server.runningCallsPerLoopMax = 1
        let eventLoops = EventLoops(count: 1)
        let service = TestService()
        try await withClient(transport, server: server, service: service, eventLoops: eventLoops) { client in
            let running = Task { try await client.unary(TestMethods.sleep, Blob("60000")) }
            try await eventually { service.record.started.load(ordering: .relaxed) == 1 }
            let options = CallOptions(timeout: .milliseconds(50))
            let error = await #expect(throws: RPCError.self) {
                try await client.unary(TestMethods.sleep, Blob("1"), options: options)
            }
            #expect(error?.code == .deadlineExceeded)
            running.cancel()
            let answer = try await client.unary(TestMethods.echo, Blob("next"))
            #expect(answer.text == "next")
            #expect(service.record.started.load(ordering: .relaxed) == 1)
        }
        try await eventLoops.shutdown()
    }

    @Test(arguments: Transport.allCases)
    func fanOutKeepsOrderAndPartialFailure(transport: Transport) async throws {
        try await withClient(transport) { client in
            let calls = (0..<100).map { (client: client, request: Blob($0 == 50 ? "garbage" : "\($0)")) }
            let results = await FanOut.call(calls, TestMethods.echo, options: CallOptions(timeout: .seconds(10)))
            #expect(results.count == 100)
            for (index, result) in results.enumerated() {
                switch result {
                case .success(let answer): #expect(answer.text == "\(index)" && index != 50)
                case .failure(let error): #expect(error.code == .invalidArgument && index == 50)
                }
            }
            let none = await FanOut.call([], TestMethods.echo)
            #expect(none.isEmpty)
        }
    }
}

/// Waits for a condition that another task brings about.
func eventually(_ condition: () -> Bool) async throws {
    for _ in 0..<3000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
    #expect(condition())
}
