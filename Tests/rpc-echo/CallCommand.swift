import ArgumentParser
import Foundation
import Kernels
import Messages
import RPC
import Service

/// Calls an echo service and prints a JSON line per response and one for the outcome.
struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Call an echo service; print a JSON line per response and one for the outcome.")

    enum Method: String, ExpressibleByArgument, CaseIterable {
        case unary
        case stream
    }

    @Argument(help: "unary or stream.")
    var method: Method

    @Option(name: .customLong("target"), help: "Address of a replica, host:port; may be repeated.")
    var targets: [String]

    @Option(help: "Ids to send, separated by commas.")
    var ids = ""

    @Option(help: "Milliseconds that the server is to wait before each answer.")
    var delayMs: UInt32 = 0

    @Option(help: "gRPC status that the server is to fail with.")
    var failCode: UInt32 = 0

    @Option(help: "Message of that status.")
    var failMessage = ""

    @Option(help: "Details of that status, in hexadecimal.")
    var failDetails = ""

    @Option(help: "Responses to a streaming call.")
    var responses: UInt32 = 0

    @Option(help: "Bytes to send along and get back.")
    var payloadBytes = 0

    @Option(help: "Bytes that the server is to add to its answer.")
    var paddingBytes: UInt32 = 0

    @Option(help: "Whether the server is to describe the call.")
    var describe = false

    @Option(help: "Milliseconds until the call is given up.")
    var timeoutMs = 10_000

    @Option(help: "Milliseconds after which the caller cancels.")
    var cancelAfterMs: Int?

    @Option(help: "identity, gzip or zstd.")
    var encoding = "identity"

    @Option(name: .customLong("metadata"), help: "name=value to send; bytes in hexadecimal; may be repeated.")
    var metadata: [String] = []

    @Option(help: "Unary calls to make; with more than one, only their outcomes are counted.")
    var calls = 1

    @Option(help: "Calls to make at a time.")
    var concurrency = 1

    @Option(help: "Milliseconds between the starts of two calls of one worker.")
    var intervalMs = 0

    @Option(help: "round-robin or least-loaded.")
    var policy = "least-loaded"

    @Flag(help: "Send a call that takes longer than most to a second replica.")
    var hedge = false

    @Option(help: "PEM file of the authority of the server; turns on TLS.")
    var ca: String?

    @Option(help: "PEM file of the client's certificate.")
    var certificate: String?

    @Option(help: "PEM file of its key.")
    var key: String?

    func run() async throws {
        let client = try makeClient()
        let request = try makeRequest()
        let options = try makeOptions()
        if calls > 1 {
            try await load(client, request)
        } else {
            try await one(client, request, options)
        }
        await client.close()
    }

    private func one(_ client: Client, _ request: EchoRequest, _ options: CallOptions) async throws {
        let task = Task { () -> RPCError? in
            do throws(RPCError) {
                switch method {
                case .unary: print(Line(try await client.unary(EchoMethods.unary, request, options: options)))
                case .stream:
                    let responses = client.serverStreaming(EchoMethods.stream, request, options: options)
                    for try await response in responses { print(Line(response)) }
                }
                return nil
            } catch {
                return error
            }
        }
        if let cancelAfterMs {
            try await Task.sleep(for: .milliseconds(cancelAfterMs))
            task.cancel()
        }
        print(Outcome(await task.value))
    }

    /// Many unary calls by some workers; counts their outcomes.
    private func load(_ client: Client, _ request: EchoRequest) async throws {
        let counts = await withTaskGroup(of: [String: Int].self) { group in
            for worker in 0..<concurrency {
                let share = calls / concurrency + (worker < calls % concurrency ? 1 : 0)
                group.addTask { await work(client, request, share) }
            }
            return await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        }
        print(Counts(codes: counts))
    }

    private func work(_ client: Client, _ request: EchoRequest, _ share: Int) async -> [String: Int] {
        var counts: [String: Int] = [:]
        for _ in 0..<share {
            let next = ContinuousClock.now + .milliseconds(intervalMs)
            do throws(RPCError) {
                let options = CallOptions(timeout: .milliseconds(timeoutMs))
                _ = try await client.unary(EchoMethods.unary, request, options: options)
                counts["OK", default: 0] += 1
            } catch {
                counts[error.code.name, default: 0] += 1
            }
            if intervalMs > 0 { try? await Task.sleep(until: next) }
        }
        return counts
    }
}

// MARK: Arguments

extension CallCommand {
    private func makeClient() throws -> Client {
        guard let policy = BalancingPolicy(rawValue: policy) else {
            throw ValidationError("--policy '\(policy)' is not one of \(BalancingPolicy.allCases.map(\.rawValue))")
        }
        var configuration = ClientConfiguration()
        configuration.balancing.policy = policy
        configuration.attempts.hedges = hedge
        if let ca {
            configuration.tls = ClientTLS(authorities: ca, certificateChain: certificate, privateKey: key)
        }
        return try Client(targets: targets, configuration: configuration)
    }

    private func makeRequest() throws -> EchoRequest {
        let ids = try ids.split(separator: ",").map { text in
            guard let id = UInt64(text) else { throw ValidationError("--ids: '\(text)' is not an id") }
            return id
        }
        return EchoRequest(
            ids: SharedBuffer(ids), delayMilliseconds: delayMs, failCode: failCode, failMessage: failMessage,
            failDetails: SharedBuffer(try bytes(failDetails)), responses: responses,
            payload: SharedBuffer((0..<payloadBytes).map { UInt8(truncatingIfNeeded: $0) }),
            paddingBytes: paddingBytes, describe: describe)
    }

    private func makeOptions() throws -> CallOptions {
        guard let encoding = MessageEncoding(rawValue: encoding) else {
            throw ValidationError("--encoding '\(encoding)' is not one of \(MessageEncoding.allCases.map(\.rawValue))")
        }
        var options = CallOptions(timeout: .milliseconds(timeoutMs), encoding: encoding)
        for entry in metadata {
            guard let separator = entry.firstIndex(of: "=") else {
                throw ValidationError("--metadata '\(entry)' is not of the form name=value")
            }
            let (name, value) = (String(entry[..<separator]), String(entry[entry.index(after: separator)...]))
            if name.hasSuffix("-bin") {
                try options.metadata.add(binary: bytes(value), for: name)
            } else {
                try options.metadata.add(text: value, for: name)
            }
        }
        return options
    }

    private func bytes(_ hexadecimal: String) throws -> [UInt8] {
        let digits = hexadecimal.compactMap(\.hexDigitValue)
        guard digits.count == hexadecimal.count, digits.count % 2 == 0 else {
            throw ValidationError("'\(hexadecimal)' is not hexadecimal")
        }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
