import Foundation
import Messages
import RPC

/// A response as a JSON line.
struct Line: Encodable {
    var values: [Float]
    var payloadBytes: Int
    var paddingBytes: Int
    var index: UInt32
    var metadata: [String]
    var deadlineMs: UInt32

    init(_ response: EchoResponse) {
        values = Array(response.values)
        payloadBytes = response.payload.count
        paddingBytes = response.padding.count
        index = response.index
        metadata = response.metadata
        deadlineMs = response.deadlineMilliseconds
    }
}

/// How a call ended, as a JSON line.
struct Outcome: Encodable {
    var code = "OK"
    var message = ""
    /// Of grpc-status-details-bin, in hexadecimal.
    var details = ""

    init(_ error: RPCError?) {
        guard let error else { return }
        code = error.code.name
        message = error.message
        details = hexadecimal(error.metadata.binary("grpc-status-details-bin") ?? [])
    }
}

/// How many calls ended how, as a JSON line.
struct Counts: Encodable {
    var codes: [String: Int]
}

func print(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = .sortedKeys
    guard var line = try? encoder.encode(value) else { return }
    line.append(UInt8(ascii: "\n"))
    FileHandle.standardOutput.write(line)
}
