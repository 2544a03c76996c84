internal import CNghttp2

/// Why a stream ends early (RFC 9113, 7).
enum HTTP2ErrorCode: UInt32, Sendable {
    case noError = 0
    case protocolError = 1
    case internalError = 2
    case flowControlError = 3
    case refusedStream = 7
    case cancel = 8
    case enhanceYourCalm = 11
    case inadequateSecurity = 12
}

/// Owns one `nghttp2_session`; only its connection's event loop may touch it.
///
/// `receive` and `send` must not be called from within the library's callbacks; everything else may be.
struct HTTP2Session: ~Copyable {
    enum Role: Sendable {
        case client
        case server
    }

    private let session: OpaquePointer
    // The library frees into it until the session is deleted.
    private let memory = HTTP2Memory()

    init(role: Role) throws(RPCError) {
        var option: OpaquePointer?
        nghttp2_option_new(&option)
        defer { nghttp2_option_del(option) }
        // Windows are reopened as handlers take what was received.
        nghttp2_option_set_no_auto_window_update(option, 1)
        // Closed streams are kept only for the priority tree, which gRPC does not use.
        nghttp2_option_set_no_closed_streams(option, 1)
        // Resets are counted by FloodGuard, which lets hedging clients through.
        nghttp2_option_set_stream_reset_rate_limit(option, UInt64(UInt32.max), UInt64(UInt32.max))
        var session: OpaquePointer?
        var functions = memory.functions
        let code =
            switch role {
            case .client: nghttp2_session_client_new3(&session, HTTP2Callbacks.shared, nil, option, &functions)
            case .server: nghttp2_session_server_new3(&session, HTTP2Callbacks.shared, nil, option, &functions)
            }
        guard code == 0, let session else {
            throw RPCError(.resourceExhausted, "no memory for an HTTP/2 session")
        }
        self.session = session
    }

    deinit {
        nghttp2_session_del(session)
    }

    /// Tells callbacks whose session this is. The connection owns the session, so that it outlives it.
    func bind(to connection: HTTP2Connection) {
        nghttp2_session_set_user_data(session, Unmanaged.passUnretained(connection).toOpaque())
    }

    // MARK: Bytes

    /// Processes what the peer sent; false when the connection must be dropped.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return true }
        return nghttp2_session_mem_recv(session, base, bytes.count) == bytes.count
    }

    /// The next bytes to send, valid until the next call; nil when there are none.
    func send() -> UnsafeRawBufferPointer? {
        var bytes: UnsafePointer<UInt8>?
        let count = nghttp2_session_mem_send(session, &bytes)
        return count > 0 ? UnsafeRawBufferPointer(start: bytes, count: count) : nil
    }

    var wantsNothing: Bool {
        nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    }

    // MARK: Connection

    func submitSettings(_ limits: HTTP2Limits, role: Role) {
        var settings = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindow),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headerListBytesMax),
        ]
        switch role {
        case .server: settings.append(entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.concurrentStreamsMax))
        case .client: settings.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        nghttp2_submit_settings(session, 0, settings, settings.count)
        nghttp2_session_set_local_window_size(session, 0, 0, Int32(clamping: limits.connectionWindow))
    }

    private func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
    }

    func submitPing() {
        nghttp2_submit_ping(session, 0, nil)
    }

    /// Announces that no new streams will be taken soon, without yet refusing any.
    func submitShutdownNotice() {
        nghttp2_submit_shutdown_notice(session)
    }

    /// Refuses streams newer than the last one seen.
    func submitGoAway() {
        let last = nghttp2_session_get_last_proc_stream_id(session)
        nghttp2_submit_goaway(session, 0, last, HTTP2ErrorCode.noError.rawValue, nil, 0)
    }

    /// Sends GOAWAY and takes nothing further.
    func terminate(_ code: HTTP2ErrorCode) {
        nghttp2_session_terminate_session(session, code.rawValue)
    }

    // MARK: Streams

    /// The callbacks of the stream find `stream`; whoever calls this keeps it alive until it is closed.
    func bind(_ stream: HTTP2Stream) {
        nghttp2_session_set_stream_user_data(session, stream.id, Unmanaged.passUnretained(stream).toOpaque())
    }

    /// The stream's object, if it is open and known.
    func stream(_ id: Int32) -> HTTP2Stream? {
        nghttp2_session_get_stream_user_data(session, id).map {
            Unmanaged<HTTP2Stream>.fromOpaque($0).takeUnretainedValue()
        }
    }

    /// Opens a stream; returns its id, or nil when ids have run out or the connection is closing.
    func submitRequest(_ headers: inout HeaderList, stream: HTTP2Stream) -> Int32? {
        var provider = HTTP2Callbacks.provider(for: stream)
        let opaque = Unmanaged.passUnretained(stream).toOpaque()
        let id = headers.withEntries {
            nghttp2_submit_request(session, nil, $0.baseAddress, $0.count, &provider, opaque)
        }
        return id > 0 ? id : nil
    }

    /// Sends a response's headers and then the stream's queue; trailers follow when the stream says so.
    func submitResponse(_ headers: inout HeaderList, stream: HTTP2Stream) {
        var provider = HTTP2Callbacks.provider(for: stream)
        _ = headers.withEntries {
            nghttp2_submit_response(session, stream.id, $0.baseAddress, $0.count, &provider)
        }
    }

    func submitResponse(_ headers: ConstantHeaders, stream: HTTP2Stream) {
        var provider = HTTP2Callbacks.provider(for: stream)
        nghttp2_submit_response(session, stream.id, headers.entries.baseAddress, headers.entries.count, &provider)
    }

    /// Sends a response that consists of headers only.
    func submitResponse(_ headers: inout HeaderList, id: Int32) {
        _ = headers.withEntries { nghttp2_submit_response(session, id, $0.baseAddress, $0.count, nil) }
    }

    func submitTrailers(_ headers: inout HeaderList, id: Int32) {
        _ = headers.withEntries { nghttp2_submit_trailer(session, id, $0.baseAddress, $0.count) }
    }

    func submitTrailers(_ headers: ConstantHeaders, id: Int32) {
        nghttp2_submit_trailer(session, id, headers.entries.baseAddress, headers.entries.count)
    }

    /// To be called when a queue that had run empty has bytes again.
    func resume(_ id: Int32) {
        nghttp2_session_resume_data(session, id)
    }

    func reset(_ id: Int32, _ code: HTTP2ErrorCode) {
        nghttp2_submit_rst_stream(session, 0, id, code.rawValue)
    }

    /// Lets the peer send that many bytes more on the connection.
    func consumeConnection(_ count: Int) {
        nghttp2_session_consume_connection(session, count)
    }

    /// Lets the peer send that many bytes more on the stream.
    func consumeStream(_ id: Int32, _ count: Int) {
        nghttp2_session_consume_stream(session, id, count)
    }
}
