"""HTTP/2 by hand (RFC 9113), for frames that no library would send."""

import socket
import struct
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
UNARY = "/tributary.test.v1.Echo/Unary"
STREAM = "/tributary.test.v1.Echo/Stream"


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """A frame; `length` lies about the payload's length."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def message(payload, compressed=0, length=None):
    """A gRPC message with its prefix; `length` lies about the payload's length."""
    return struct.pack(">BI", compressed, len(payload) if length is None else length) + payload


def literal(name, value):
    """A header field without indexing or Huffman coding (RFC 7541, 6.2.2)."""
    name, value = name.encode(), value.encode()
    return b"\0" + hpack.hpack.encode_integer(len(name), 7) + name + hpack.hpack.encode_integer(len(value), 7) + value


def request_headers(path=UNARY, extra=()):
    fields = [
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
        ("content-type", "application/grpc"), ("te", "trailers"), *extra,
    ]
    return b"".join(literal(name, value) for name, value in fields)


class Connection:
    def __init__(self, port, handshake=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.decoder = hpack.Decoder()
        if handshake:
            self.send(PREFACE + frame(SETTINGS))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends; False once the server has closed the connection."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def read_frame(self, timeout=10):
        """(kind, flags, stream, payload); None once the connection is closed."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + self.needed():
            self.socket.settimeout(timeout)
            try:
                chunk = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return None
            if not chunk:
                return None
            self.buffer += chunk
        end = 9 + self.needed()
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        payload, self.buffer = self.buffer[9:end], self.buffer[end:]
        return kind, flags, stream & 0x7FFFFFFF, payload

    def needed(self):
        return int.from_bytes(self.buffer[:3], "big")

    def frames(self, seconds=10):
        """Frames until the connection closes or `seconds` pass without one."""
        while True:
            try:
                received = self.read_frame(seconds)
            except TimeoutError:
                return
            if received is None:
                return
            yield received

    def wait_for_close(self, seconds=10):
        """Reads on; returns the GOAWAY error code, or None if the server closed without one. Fails if it stays open."""
        code = None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                received = self.read_frame(max(0.01, end - time.monotonic()))
            except TimeoutError:
                break
            if received is None:
                return code
            if received[0] == GOAWAY:
                code = struct.unpack(">I", received[3][4:8])[0]
        raise AssertionError(f"the server left the connection open (GOAWAY {code})")

    def outcome(self, stream, seconds=10):
        """How a stream ended: ("status", grpc-status), ("reset", code), ("goaway", code), ("closed", None)."""
        for kind, flags, number, payload in self.frames(seconds):
            if kind == GOAWAY and struct.unpack(">I", payload[4:8])[0] != 0:
                return "goaway", struct.unpack(">I", payload[4:8])[0]
            if kind == HEADERS:
                fields = dict(self.decoder.decode(payload))
                if number == stream and "grpc-status" in fields:
                    return "status", int(fields["grpc-status"])
                if number == stream and flags & END_STREAM:
                    return "http", int(fields[":status"])
            if kind == RST_STREAM and number == stream:
                return "reset", struct.unpack(">I", payload)[0]
        return "closed", None

    def request(self, stream, body, path=UNARY, extra=(), end=True):
        self.send(
            frame(HEADERS, END_HEADERS, stream, request_headers(path, extra))
            + frame(DATA, END_STREAM if end else 0, stream, body)
        )
