import Kernels
import Messages
import RPC

/// Answers as Protos/tributary/test/v1/echo.proto says.
struct EchoService: RPCService {
    static let serviceName = EchoMethods.service

    func register(in router: inout Router) {
        router.unary(EchoMethods.unary) { request, context async throws(RPCError) in
            try await answer(request, context)
        }
        router.serverStreaming(EchoMethods.stream) { request, context, writer async throws(RPCError) in
            var each = request
            each.failCode = 0
            for index in 0..<request.responses {
                try await writer.write(answer(each, context, index: index))
            }
            try fail(request)
        }
        router.bidirectional(EchoMethods.chat) { requests, context, writer async throws(RPCError) in
            var index: UInt32 = 0
            for try await request in requests {
                try await writer.write(answer(request, context, index: index))
                index &+= 1
            }
        }
    }
}

private func answer(
    _ request: EchoRequest, _ context: CallContext, index: UInt32 = 0
) async throws(RPCError) -> EchoResponse {
    if request.delayMilliseconds > 0 {
        do {
            try await Task.sleep(for: .milliseconds(request.delayMilliseconds))
        } catch {
            throw RPCError(.cancelled, "the call was cancelled while it waited", cause: error)
        }
    }
    try fail(request)
    var response = EchoResponse(index: index)
    response.values = SharedBuffer(request.ids.lazy.map { Float($0 & 0xFFFF) * 0.5 })
    response.payload = request.payload
    if request.paddingBytes > 0 {
        response.padding = SharedBuffer([UInt8](repeating: 0, count: Int(request.paddingBytes)))
    }
    if request.describe {
        response.metadata = lines(context.metadata)
        if context.deadline != .distantFuture {
            response.deadlineMilliseconds = UInt32(clamping: Int64(context.deadline.remaining / .milliseconds(1)))
        }
    }
    return response
}

private func fail(_ request: EchoRequest) throws(RPCError) {
    guard request.failCode != 0 else { return }
    guard let code = RPCError.Code(rawValue: Int(request.failCode)) else {
        throw RPCError(.invalidArgument, "fail_code \(request.failCode) is not a gRPC status")
    }
    var error = RPCError(code, request.failMessage)
    if !request.failDetails.isEmpty {
        try error.metadata.add(binary: Array(request.failDetails), for: "grpc-status-details-bin")
    }
    throw error
}

/// Metadata as sorted "name: value" lines, bytes in hexadecimal.
func lines(_ metadata: Metadata) -> [String] {
    metadata.entries.map { entry in
        switch entry.value {
        case .text(let text): "\(entry.key): \(text)"
        case .binary(let bytes): "\(entry.key): \(hexadecimal(bytes))"
        }
    }.sorted()
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
