internal import CNghttp2
import NIOCore

/// The C side of `HTTP2Connection`: each callback finds its objects and forwards.
///
/// Pointers stay valid because the connection owns the session, and holds every stream that has one in `open`.
enum HTTP2Callbacks {
    // Written once here; the library only reads it.
    nonisolated(unsafe) static let shared: OpaquePointer? = {
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        setHeaders(callbacks)
        setFrames(callbacks)
        setData(callbacks)
        return callbacks
    }()

    static func provider(for stream: HTTP2Stream) -> nghttp2_data_provider {
        nghttp2_data_provider(
            source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque()),
            read_callback: { _, _, _, capacity, flags, source, user in
                guard let stream = HTTP2Callbacks.stream(source), let flags else {
                    return HTTP2Callbacks.failure
                }
                return HTTP2Callbacks.read(stream, capacity, flags)
            })
    }

    private static let failure = Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)

    /// Calls the connection without counting references: its owner holds it while the library runs.
    @inline(__always)
    private static func forward(_ user: UnsafeMutableRawPointer?, _ body: (HTTP2Connection) -> Void) -> Int32 {
        if let user { Unmanaged<HTTP2Connection>.fromOpaque(user)._withUnsafeGuaranteedRef(body) }
        return 0
    }

    private static func stream(_ source: UnsafeMutablePointer<nghttp2_data_source>?) -> HTTP2Stream? {
        source?.pointee.ptr.map { Unmanaged<HTTP2Stream>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func setHeaders(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            guard let frame else { return 0 }
            return HTTP2Callbacks.forward(user) {
                $0.headersBegan(
                    frame.pointee.hd.stream_id, isRequest: frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST)
            }
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, user in
            HTTP2Callbacks.forward(user) {
                $0.headerReceived(
                    UnsafeRawBufferPointer(start: name, count: nameCount),
                    UnsafeRawBufferPointer(start: value, count: valueCount))
            }
        }
    }

    private static func setFrames(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            guard let header else { return 0 }
            var isAllowed = true
            _ = HTTP2Callbacks.forward(user) { isAllowed = $0.frameBegan(FrameHeader(header.pointee)) }
            return isAllowed ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            guard let frame else { return 0 }
            return HTTP2Callbacks.forward(user) {
                $0.frameReceived(
                    FrameHeader(frame.pointee.hd),
                    lastStream: frame.pointee.hd.type == FrameType.goAway ? frame.pointee.goaway.last_stream_id : 0)
            }
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            guard let frame, frame.pointee.hd.type == FrameType.headers else { return 0 }
            return HTTP2Callbacks.forward(user) { $0.headersSent(FrameHeader(frame.pointee.hd)) }
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
            HTTP2Callbacks.forward(user) { $0.streamClosed(id, code) }
        }
    }

    private static func setData(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, user in
            HTTP2Callbacks.forward(user) { $0.dataReceived(id, UnsafeRawBufferPointer(start: bytes, count: count)) }
        }
        nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, header, count, source, user in
            guard let stream = HTTP2Callbacks.stream(source) else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            let frameHeader = UnsafeRawBufferPointer(start: header, count: 9)
            var isSent = false
            _ = HTTP2Callbacks.forward(user) {
                isSent = $0.sendData(stream, frameHeader: frameHeader, count: count)
            }
            return isSent ? 0 : NGHTTP2_ERR_WOULDBLOCK.rawValue
        }
    }

    /// Says how much of the stream's queue the next DATA frame takes; `sendData` then copies it.
    private static func read(
        _ stream: HTTP2Stream, _ capacity: Int, _ flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let available = stream.output.count
        if available == 0 && !stream.isOutputComplete {
            stream.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_NO_COPY.rawValue)
        if available <= capacity && stream.isOutputComplete {
            flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
            if stream.submitTrailers() { flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue) }
        }
        return min(available, capacity)
    }
}

/// Frame types by number (RFC 9113, 6).
enum FrameType {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
}

/// The fields every frame begins with.
struct FrameHeader {
    var type: UInt8
    var length: Int
    var stream: Int32
    private var flags: UInt8

    init(_ header: nghttp2_frame_hd) {
        type = header.type
        length = header.length
        stream = header.stream_id
        flags = header.flags
    }

    var endsStream: Bool { flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 }
    var isAcknowledgement: Bool { flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 }
}
