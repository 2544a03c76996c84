"""Our client against Python's grpcio as the server."""

import json
import subprocess
import threading
import time
from concurrent import futures

import grpc

from harness import PROGRAM, Certificates, echo_pb2, echo_pb2_grpc, values, wait_until

MEGABYTE = 1 << 20


class Echo(echo_pb2_grpc.EchoServicer):
    """The echo service in Python, with a record of what happened."""

    def __init__(self):
        self.calls = 0
        self.cancelled = threading.Event()
        # Seconds to wait before the n-th unary call is answered.
        self.stall = lambda calls: 0

    def answer(self, request, context, index=0):
        time.sleep(request.delay_ms / 1000)
        if request.fail_code:
            context.set_trailing_metadata([("grpc-status-details-bin", request.fail_details)])
            code = next(code for code in grpc.StatusCode if code.value[0] == request.fail_code)
            context.abort(code, request.fail_message)
        response = echo_pb2.EchoResponse(values=values(request.ids), payload=request.payload, index=index)
        response.padding = b"\0" * request.padding_bytes
        if request.describe:
            response.metadata.extend(sorted(f"{key}: {value}" for key, value in context.invocation_metadata()))
            response.deadline_ms = int((context.time_remaining() or 0) * 1000)
        return response

    def Unary(self, request, context):
        self.calls += 1
        context.add_callback(self.cancelled.set)
        time.sleep(self.stall(self.calls))
        return self.answer(request, context)

    def Stream(self, request, context):
        context.add_callback(self.cancelled.set)
        for index in range(request.responses):
            if not context.is_active():
                return
            yield self.answer(echo_pb2.EchoRequest(ids=request.ids, delay_ms=request.delay_ms), context, index)
        if request.fail_code:
            self.answer(request, context)

    def Chat(self, requests, context):
        for index, request in enumerate(requests):
            yield self.answer(request, context, index)


class Server:
    def __init__(self, port=0, credentials=None, compression=None):
        self.echo = Echo()
        options = [("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)]
        self.server = grpc.server(futures.ThreadPoolExecutor(32), options=options, compression=compression)
        echo_pb2_grpc.add_EchoServicer_to_server(self.echo, self.server)
        address = f"127.0.0.1:{port}"
        add = self.server.add_insecure_port
        self.port = add(address) if credentials is None else self.server.add_secure_port(address, credentials)
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(0).wait()


def command(method, *targets, **options):
    arguments = [PROGRAM, "call", method]
    for target in targets:
        arguments += ["--target", target if isinstance(target, str) else target.address]
    for name, value in options.items():
        arguments += [f"--{name.replace('_', '-')}", str(value)]
    return arguments


def call(method, *targets, **options):
    """Runs one call; returns (status, responses) as rpc-echo printed them."""
    options.setdefault("timeout_ms", 10_000)
    done = subprocess.run(command(method, *targets, **options), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"rpc-echo ended with {done.returncode}: {done.stdout[-500:]} {done.stderr[-2000:]}"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines[-1], lines[:-1]


def scenario_unary():
    with Server() as server:
        status, responses = call("unary", server, ids="0,1,64,18446744073709551615", payload_bytes=1000)
        assert status["code"] == "OK", status
        assert responses[0]["values"] == [0, 0.5, 32, 32767.5], responses
        assert responses[0]["payload_bytes"] == 1000
        status, responses = call("unary", server)
        assert status["code"] == "OK" and responses[0]["values"] == []


def scenario_server_streaming():
    with Server() as server:
        status, responses = call("stream", server, ids="6", responses=2000, timeout_ms=30_000)
        assert status["code"] == "OK", status
        assert [r["index"] for r in responses] == list(range(2000))
        assert all(r["values"] == [3] for r in responses)
        status, responses = call("stream", server, responses=3, fail_code=15, fail_message="torn")
        assert (status["code"], status["message"], len(responses)) == ("DATA_LOSS", "torn", 3), status


def scenario_errors():
    with Server() as server:
        for code in grpc.StatusCode:
            if code == grpc.StatusCode.OK:
                continue
            status, responses = call(
                "unary", server, fail_code=code.value[0], fail_message="100% größer\n日本", fail_details="00fe01"
            )
            assert not responses
            assert status["code"] == code.name, (code, status)
            assert status["message"] == "100% größer\n日本", status
            assert status["details"] == "00fe01", status


def scenario_deadline():
    with Server() as server:
        start = time.monotonic()
        status, _ = call("unary", server, delay_ms=3000, timeout_ms=300)
        assert status["code"] == "DEADLINE_EXCEEDED", status
        assert time.monotonic() - start < 2.5
        assert server.echo.cancelled.wait(5), "the server was not told"
        status, responses = call("unary", server, describe="true", timeout_ms=20_000)
        assert 10_000 < responses[0]["deadline_ms"] <= 20_000, responses


def scenario_cancel():
    with Server() as server:
        status, responses = call("stream", server, delay_ms=50, responses=100_000, cancel_after_ms=500)
        assert status["code"] == "CANCELLED", status
        assert 0 < len(responses) < 100
        assert server.echo.cancelled.wait(5), "the server was not told"


def scenario_big_messages():
    with Server() as server:
        size = 3 * MEGABYTE + 17
        status, responses = call("unary", server, payload_bytes=size)
        assert status["code"] == "OK" and responses[0]["payload_bytes"] == size, status
        status, _ = call("unary", server, padding_bytes=5 * MEGABYTE)
        assert status["code"] == "RESOURCE_EXHAUSTED", status


def scenario_metadata():
    with Server() as server:
        options = command("unary", server, describe="true")
        options += ["--metadata", "a=1", "--metadata", "a=one, two", "--metadata", "x-bytes-bin=0080ff"]
        done = subprocess.run(options, capture_output=True, text=True, timeout=30, check=True)
        lines = json.loads(done.stdout.splitlines()[0])["metadata"]
        for expected in ["a: 1", "a: one, two", f"x-bytes-bin: {bytes([0, 0x80, 0xFF])}"]:
            assert expected in lines, lines


def scenario_gzip():
    with Server(compression=grpc.Compression.Gzip) as server:
        status, responses = call("unary", server, payload_bytes=200_000, encoding="gzip")
        assert status["code"] == "OK" and responses[0]["payload_bytes"] == 200_000, status
        status, responses = call("stream", server, responses=5, padding_bytes=100_000)
        assert status["code"] == "OK" and len(responses) == 5, status


def scenario_nobody_there():
    with Server() as server:
        address = server.address
    start = time.monotonic()
    status, _ = call("unary", address)
    assert status["code"] == "UNAVAILABLE" and address in status["message"], status
    assert time.monotonic() - start < 5


def scenario_not_http2():
    """A server that answers HTTP/1.1, and one that closes at once."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def serve():
            for answer in [b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", b""] * 20:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.sendall(answer)
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        for _ in range(2):
            status, _ = call("unary", address, timeout_ms=3000)
            assert status["code"] in ("UNAVAILABLE", "DEADLINE_EXCEEDED"), status


def scenario_calls_spread_over_replicas():
    for policy in ["round-robin", "least-loaded"]:
        with Server() as first, Server() as second, Server() as third:
            status, _ = call("unary", first, second, third, calls=600, concurrency=8, ids="1,2", policy=policy)
            assert status["codes"] == {"OK": 600}, status
            counts = [server.echo.calls for server in (first, second, third)]
            assert sum(counts) == 600 and min(counts) > 100, counts


def scenario_slow_calls_are_hedged():
    """Once latencies are known, a server stalls beyond the deadline on one call in twenty: the other server answers.

    The other never stalls, or now and then a call and its hedge would both meet a stall.
    """
    with Server() as first, Server() as second:
        first.echo.stall = lambda calls: 5 if calls > 400 and calls % 20 == 0 else 0
        options = {"calls": 2400, "concurrency": 4, "ids": "1", "timeout_ms": 3000}
        arguments = [*command("unary", first, second, **options), "--hedge"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=True)
        assert json.loads(done.stdout)["codes"] == {"OK": 2400}, done.stdout
        # Some forty calls stall; the budget allows at most a fifth more, and ten a second.
        extra = first.echo.calls + second.echo.calls - 2400
        assert extra >= 20, extra


def scenario_replica_dies_under_load():
    """One of two replicas is killed under load: its calls are sent again to the other, and none fails."""
    with Server() as survivor, Server() as victim:
        arguments = command("unary", survivor, victim, calls=4000, concurrency=8, ids="1", timeout_ms=10_000)
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: victim.echo.calls > 100, "the load runs")
        victim.server.stop(0).wait()
        output, _ = process.communicate(timeout=60)
        status = json.loads(output.splitlines()[-1])
        assert status["codes"] == {"OK": 4000}, status
        assert survivor.echo.calls > 2000


def scenario_replica_drains_under_load():
    with Server() as survivor, Server() as leaver:
        arguments = command("unary", survivor, leaver, calls=4000, concurrency=8, ids="1", timeout_ms=10_000)
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: leaver.echo.calls > 100, "the load runs")
        leaver.server.stop(10).wait()
        output, _ = process.communicate(timeout=60)
        assert json.loads(output.splitlines()[-1])["codes"] == {"OK": 4000}, output


def scenario_reconnects():
    """A lone server goes away and comes back at the same port: the client finds it again."""
    first = Server()
    with first:
        # Ten calls a second for eight seconds.
        arguments = command("unary", first, calls=80, interval_ms=100, timeout_ms=1000)
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: first.echo.calls > 5, "the load runs")
    time.sleep(0.5)
    with Server(port=first.port) as second:
        output, _ = process.communicate(timeout=60)
        codes = json.loads(output.splitlines()[-1])["codes"]
        assert set(codes) == {"OK", "UNAVAILABLE"}, codes
        assert second.echo.calls > 30, (second.echo.calls, codes)
        assert codes["OK"] >= 40, codes


def scenario_tls():
    with Certificates() as files:
        pair = [(files.read("server-key"), files.read("server"))]
        with Server(credentials=grpc.ssl_server_credentials(pair)) as server:
            status, responses = call("unary", server, ids="6", ca=files.path("ca"))
            assert status["code"] == "OK" and responses[0]["values"] == [3], status
            status, _ = call("unary", server, ids="6", ca=files.path("other-ca"), timeout_ms=3000)
            assert status["code"] == "UNAVAILABLE", status
        credentials = grpc.ssl_server_credentials(pair, files.read("ca"), require_client_auth=True)
        with Server(credentials=credentials) as server:
            pair = {"certificate": files.path("client"), "key": files.path("client-key")}
            status, responses = call("unary", server, ids="6", ca=files.path("ca"), **pair)
            assert status["code"] == "OK" and responses[0]["values"] == [3], status
            status, _ = call("unary", server, ids="6", ca=files.path("ca"), timeout_ms=3000)
            assert status["code"] == "UNAVAILABLE", status
