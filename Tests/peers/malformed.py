"""Raw sockets that break the rules: the server answers with an error or hangs up, and serves everyone else."""

import os
import random
import struct
import time

from harness import Server, echo_pb2, wait_until
from http2_raw import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, PRIORITY, PUSH_PROMISE, RST_STREAM,
    SETTINGS, STREAM, UNARY, WINDOW_UPDATE, Connection, frame, literal, message, request_headers,
)

PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR = 1, 3, 5, 6
REFUSED_STREAM, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 7, 9, 11
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, INVALID_ARGUMENT = 8, 12, 13, 3
REQUEST = message(echo_pb2.EchoRequest(ids=[2, 4]).SerializeToString())


def scenario_garbage_bytes():
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500)
    starts = [b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", hello, b"\0" * 1000, b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + b"x" * 99]
    with Server() as server:
        for start in starts + [os.urandom(2000) for _ in range(50)]:
            with Connection(server.port, handshake=False) as connection:
                connection.send(start)
                connection.wait_for_close()


def scenario_preface_cut():
    with Server() as server:
        for length in range(len(PREFACE)):
            with Connection(server.port, handshake=False) as connection:
                connection.send(PREFACE[:length])


def scenario_truncated_frames():
    conversation = PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, request_headers())
    conversation += frame(DATA, END_STREAM, 1, REQUEST)
    with Server() as server:
        for length in range(len(PREFACE), len(conversation)):
            with Connection(server.port, handshake=False) as connection:
                connection.send(conversation[:length])


def scenario_frames_against_the_rules():
    headers = frame(HEADERS, END_HEADERS, 1, request_headers())
    cases = [
        ("frame longer than the limit", frame(DATA, 0, 1, b"x" * 20_000), FRAME_SIZE_ERROR),
        ("length of 16 MB announced", frame(DATA, 0, 1, length=0xFFFFFF), FRAME_SIZE_ERROR),
        ("data on stream 0", frame(DATA, 0, 0, b"x"), PROTOCOL_ERROR),
        ("headers on an even stream", frame(HEADERS, END_HEADERS, 2, request_headers()), PROTOCOL_ERROR),
        ("headers on stream 0", frame(HEADERS, END_HEADERS, 0, request_headers()), PROTOCOL_ERROR),
        ("padding longer than the frame", headers + frame(DATA, 8, 1, b"\xff123"), PROTOCOL_ERROR),
        ("settings of five bytes", frame(SETTINGS, 0, 0, b"12345"), FRAME_SIZE_ERROR),
        ("settings on a stream", frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
        ("ping of seven bytes", frame(PING, 0, 0, b"1234567"), FRAME_SIZE_ERROR),
        ("window update of zero", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0)), PROTOCOL_ERROR),
        ("window over 2^31", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1)), FLOW_CONTROL_ERROR),
        ("push promise from a client", headers + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2"), PROTOCOL_ERROR),
        ("continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, b""), PROTOCOL_ERROR),
        ("headers interrupted", frame(HEADERS, 0, 1, b"") + frame(PING, 0, 0, b"12345678"), PROTOCOL_ERROR),
        ("reset of an idle stream", frame(RST_STREAM, 0, 99, struct.pack(">I", 8)), PROTOCOL_ERROR),
        ("header block of garbage", frame(HEADERS, END_HEADERS, 1, b"\xff" * 64), COMPRESSION_ERROR),
    ]
    with Server() as server:
        for name, sent, expected in cases:
            with Connection(server.port) as connection:
                connection.send(sent)
                code = connection.wait_for_close()
                assert code in (expected, None), f"{name}: GOAWAY {code} instead of {expected}"


def scenario_unknown_frames_are_ignored():
    with Server() as server, Connection(server.port) as connection:
        connection.send(frame(0xBE, 0xFF, 0, b"from the future"))
        connection.request(1, REQUEST)
        assert connection.outcome(1) == ("status", 0)


def scenario_message_prefixes():
    cases = [
        ("no message", b"", True),
        ("prefix cut", b"\0\0\0", True),
        ("message cut", message(b"x", length=100), True),
        ("length of four gigabytes", message(b"x", length=0xFFFFFFFF), False),
        ("length over the limit", message(b"x", length=(4 << 20) + 1), False),
        ("unknown compression flag", message(b"", compressed=7), True),
        ("compressed without a compression", message(b"x", compressed=1), True),
        ("two messages to a unary call", REQUEST + REQUEST, True),
        ("bytes after the message", REQUEST + b"x", True),
        ("garbage for a message", message(b"\xff\xff\xff\xff"), True),
    ]
    with Server() as server, Connection(server.port) as connection:
        for index, (name, body, end) in enumerate(cases):
            stream = 2 * index + 1
            connection.request(stream, body, end=end)
            kind, code = connection.outcome(stream)
            assert (kind, code) != ("status", 0) and kind in ("status", "reset"), f"{name}: {kind} {code}"
            if kind == "status":
                assert code in (INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL), f"{name}: {code}"
        # All on one connection, which still works.
        connection.request(99, REQUEST)
        assert connection.outcome(99) == ("status", 0)


def scenario_bad_request_headers():
    def headers(**changes):
        fields = {
            ":method": "POST", ":scheme": "http", ":path": UNARY, ":authority": "test",
            "content-type": "application/grpc", "te": "trailers",
        }
        for name, value in changes.items():
            name = {"method": ":method", "path": ":path", "scheme": ":scheme"}.get(name, name.replace("_", "-"))
            fields[name] = value
        return b"".join(literal(name, value) for name, value in fields.items() if value is not None)

    cases = [
        ("no path", headers(path=None)),
        ("no method", headers(method=None)),
        ("GET", headers(method="GET")),
        ("no content type", headers(content_type=None)),
        ("another content type", headers(content_type="text/html")),
        ("timeout of letters", headers(grpc_timeout="soon")),
        ("timeout without unit", headers(grpc_timeout="100")),
        ("timeout of nine digits", headers(grpc_timeout="123456789S")),
        ("negative timeout", headers(grpc_timeout="-5S")),
        ("unknown encoding", headers(grpc_encoding="lzw")),
        ("upper-case name", headers() + literal("Upper", "x")),
        ("line break in a value", headers() + literal("x", "a\r\nb")),
        ("pseudo-header at the end", headers() + literal(":path", UNARY)),
        ("connection header", headers() + literal("connection", "close")),
        ("binary metadata that is no base64", headers() + literal("x-bin", "*** not base64 ***")),
    ]
    with Server() as server:
        for name, block in cases:
            with Connection(server.port) as connection:
                body = message(b"", compressed=1) if name == "unknown encoding" else REQUEST
                connection.send(frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, END_STREAM, 1, body))
                kind, code = connection.outcome(1, seconds=3)
                assert kind != "closed" and (kind, code) not in (("status", 0), ("http", 200)), f"{name}: {kind} {code}"


def scenario_oversized_headers():
    with Server() as server:
        for _ in range(20):
            with Connection(server.port) as connection:
                # One megabyte of headers in a HEADERS frame and its continuations.
                connection.send(frame(HEADERS, END_STREAM, 1, request_headers()))
                sent = True
                for index in range(64):
                    block = literal(f"x-{index}", "v" * 16_000)
                    sent = sent and connection.send(frame(CONTINUATION, END_HEADERS if index == 63 else 0, 1, block))
                kind, code = connection.outcome(1, seconds=3)
                assert (kind, code) != ("status", 0), "a megabyte of headers was taken"
        # A kilobyte through the compression table becomes megabytes: one entry of 4,000 bytes named 3,000 times.
        entry = b"\x40\x01x" + b"\x7f" + bytes([0x80 + (4000 - 127) % 128, (4000 - 127) // 128]) + b"v" * 4000
        with Connection(server.port) as connection:
            connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, request_headers() + entry + b"\xbe" * 3000))
            kind, code = connection.outcome(1, seconds=3)
            assert (kind, code) != ("status", 0), "twelve megabytes of headers were taken"


def scenario_rapid_reset():
    """CVE-2023-44487: streams opened and reset faster than any client would."""
    with Server() as server:
        with Connection(server.port) as connection:
            block = request_headers()
            stream = 1
            alive = True
            while alive and stream < 200_000:
                burst = b""
                for _ in range(100):
                    burst += frame(HEADERS, END_HEADERS, stream, block) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8))
                    stream += 2
                alive = connection.send(burst)
            assert connection.wait_for_close() in (ENHANCE_YOUR_CALM, None)


def scenario_continuation_flood():
    """CVE-2024-27316: a header block that never ends."""
    with Server() as server:
        with Connection(server.port) as connection:
            connection.send(frame(HEADERS, 0, 1, request_headers()))
            sent = 0
            while sent < 64 << 20 and connection.send(frame(CONTINUATION, 0, 1, literal("x", "v" * 8000))):
                sent += 8000
            connection.wait_for_close()
            assert sent < 64 << 20, "the server read 64 MB of one header block"
        with Connection(server.port) as connection:
            connection.send(frame(HEADERS, 0, 1, request_headers()))
            count = 0
            while count < 500_000 and connection.send(frame(CONTINUATION, 0, 1) * 100):
                count += 100
            connection.wait_for_close()


def flood(server, unit, total):
    """Sends `unit` over and over without reading a byte, up to `total` bytes; returns whether it was all taken."""
    with Connection(server.port) as connection:
        connection.socket.settimeout(3)
        burst = unit * max(1, 32_000 // len(unit))
        sent = 0
        try:
            while sent < total:
                if not connection.send(burst):
                    return False
                sent += len(burst)
        except TimeoutError:
            # The server stopped reading: also an answer to one who does not read.
            return False
    return True


def scenario_ping_flood():
    with Server() as server:
        flood(server, frame(PING, 0, 0, b"12345678"), 64 << 20)


def scenario_settings_flood():
    with Server() as server:
        flood(server, frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535)), 64 << 20)
        flood(server, frame(SETTINGS), 16 << 20)


def scenario_priority_and_empty_data_floods():
    with Server() as server:
        flood(server, frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 16)), 16 << 20)
        with Connection(server.port) as connection:
            connection.send(frame(HEADERS, END_HEADERS, 1, request_headers()))
            count = 0
            while count < 1_000_000 and connection.send(frame(DATA, 0, 1) * 1000):
                count += 1000


def scenario_more_streams_than_allowed():
    body = echo_pb2.EchoRequest(ids=[2], delay_ms=300).SerializeToString()
    with Server() as server:
        with Connection(server.port) as connection:
            for index in range(5000):
                connection.request(2 * index + 1, message(body))
            ended = set()
            for kind, flags, stream, payload in connection.frames(5):
                if kind == GOAWAY:
                    break
                if kind == RST_STREAM:
                    assert struct.unpack(">I", payload)[0] in (REFUSED_STREAM, PROTOCOL_ERROR, ENHANCE_YOUR_CALM, 0)
                    ended.add(stream)
                if kind == HEADERS and flags & END_STREAM:
                    ended.add(stream)
                if len(ended) == 5000:
                    break


def scenario_data_beyond_the_window():
    """A client that ignores flow control is cut off."""
    with Server() as server:
        with Connection(server.port) as connection:
            connection.send(frame(HEADERS, END_HEADERS, 1, request_headers()))
            connection.send(frame(DATA, 0, 1, message(b"", length=4 << 20)))
            sent = 0
            while sent < 128 << 20 and connection.send(frame(DATA, 0, 1, b"\0" * 16_000)):
                sent += 16_000
            assert sent < 128 << 20


def scenario_slow_reader():
    """Asks for a gigabyte with open windows and never reads it: the server holds a bounded part."""
    window = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 2**31 - 1))
    window += frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65_535))
    body = echo_pb2.EchoRequest(responses=10_000, padding_bytes=100_000).SerializeToString()
    with Server() as server:
        connections = [Connection(server.port) for _ in range(8)]
        for connection in connections:
            connection.send(window)
            connection.request(1, message(body), path=STREAM)
        time.sleep(3)
        grown = server.resident("VmHWM") - server.resident_at_start
        assert grown < 96, f"the server holds {grown:.0f} MB for eight readers that do not read"
        for connection in connections:
            connection.socket.close()


def scenario_slow_reader_of_unary_answers():
    """As above, with many unary calls of large answers behind a closed window."""
    body = echo_pb2.EchoRequest(padding_bytes=1 << 20).SerializeToString()
    with Server(growth=512) as server:
        with Connection(server.port) as connection:
            connection.send(frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0)))
            for index in range(2000):
                connection.request(2 * index + 1, message(body))
            time.sleep(2)
        grown = server.resident("VmHWM") - server.resident_at_start
        assert grown < 512, f"the server holds {grown:.0f} MB for one reader that does not read"


def scenario_slow_writer():
    """Two hundred connections send a byte at a time; others are served at full speed meanwhile."""
    conversation = PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, request_headers())
    conversation += frame(DATA, END_STREAM, 1, REQUEST)
    with Server() as server:
        writers = [Connection(server.port, handshake=False) for _ in range(200)]
        for index in range(40):
            for writer in writers:
                writer.send(conversation[index:index + 1])
        start = time.monotonic()
        with Connection(server.port) as healthy:
            healthy.request(1, REQUEST)
            assert healthy.outcome(1) == ("status", 0)
        assert time.monotonic() - start < 2
        # The rest of it at once: each is answered after all.
        for writer in writers:
            writer.send(conversation[40:])
            assert writer.outcome(1) == ("status", 0)
            writer.socket.close()


def scenario_mutated_conversations():
    """Valid conversations with bytes flipped, cut out and repeated, from a printed seed."""
    seed = int(os.environ.get("PEER_SEED", "20261123"))
    print(f"seed {seed}")
    chance = random.Random(seed)
    conversation = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 100_000))
    for index in range(6):
        conversation += frame(HEADERS, END_HEADERS, 2 * index + 1, request_headers())
        conversation += frame(DATA, END_STREAM, 2 * index + 1, REQUEST)
    conversation += frame(PING, 0, 0, b"12345678") + frame(RST_STREAM, 0, 11, struct.pack(">I", 8))
    with Server() as server:
        for _ in range(1500):
            mutated = bytearray(conversation)
            for _ in range(chance.randint(1, 8)):
                position = chance.randrange(len(mutated))
                action = chance.randrange(4)
                if action == 0:
                    mutated[position] ^= 1 << chance.randrange(8)
                elif action == 1:
                    mutated[position] = chance.randrange(256)
                elif action == 2:
                    del mutated[position:position + chance.randint(1, 40)]
                else:
                    mutated[position:position] = mutated[position:position + chance.randint(1, 40)]
            with Connection(server.port, handshake=False) as connection:
                connection.send(PREFACE + bytes(mutated))


def scenario_connection_churn():
    """Two thousand connections that come, call and vanish, and five hundred that stay and say nothing."""
    with Server() as server:
        for _ in range(2000):
            connection = Connection(server.port)
            connection.request(1, REQUEST)
            connection.socket.close()
        idle = [Connection(server.port, handshake=False) for _ in range(500)]
        wait_until(lambda: server.descriptors() >= server.descriptors_at_start + 500, "idle connections are accepted")
        with Connection(server.port) as healthy:
            healthy.request(1, REQUEST)
            assert healthy.outcome(1) == ("status", 0)
        for connection in idle:
            connection.socket.close()
