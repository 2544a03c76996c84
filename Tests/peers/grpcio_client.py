"""Python's grpcio as a client of our server."""

import os
import threading
import time

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from harness import Certificates, Server, echo_pb2, expect_error, in_threads, stub, values, wait_until

MEGABYTE = 1 << 20
SERVICE = "tributary.test.v1.Echo"
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def scenario_unary():
    ids = [0, 1, 64, 2**63, 2**64 - 1]
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        response, call = stub(channel).Unary.with_call(echo_pb2.EchoRequest(ids=ids, payload=b"\0\xff"), timeout=5)
        assert list(response.values) == values(ids), response
        assert response.payload == b"\0\xff"
        assert call.code() == grpc.StatusCode.OK
        assert list(stub(channel).Unary(echo_pb2.EchoRequest(), timeout=5).values) == []
        many = list(range(100_000))
        assert list(stub(channel).Unary(echo_pb2.EchoRequest(ids=many), timeout=20).values) == values(many)


def scenario_server_streaming():
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        responses = list(stub(channel).Stream(echo_pb2.EchoRequest(ids=[6], responses=3000), timeout=60))
        assert [r.index for r in responses] == list(range(3000))
        assert all(list(r.values) == [3] for r in responses)
        assert list(stub(channel).Stream(echo_pb2.EchoRequest(responses=0), timeout=5)) == []
        # An error after some messages: they arrive, then it does.
        received = []
        call = stub(channel).Stream(echo_pb2.EchoRequest(responses=3, fail_code=15, fail_message="torn"), timeout=5)
        expect_error(grpc.StatusCode.DATA_LOSS, lambda: received.extend(call), "torn")


def scenario_bidirectional():
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        # Strict turns: the next request is made only after the answer to the last.
        answered = threading.Semaphore(1)

        def requests():
            for i in range(200):
                answered.acquire()
                yield echo_pb2.EchoRequest(ids=[i], payload=b"x" * i)

        count = 0
        for response in stub(channel).Chat(requests(), timeout=30):
            assert list(response.values) == [count * 0.5] and len(response.payload) == count
            count += 1
            answered.release()
        assert count == 200
        # The client sends all before it reads.
        burst = list(stub(channel).Chat((echo_pb2.EchoRequest(ids=[i]) for i in range(2000)), timeout=60))
        assert [r.values[0] for r in burst] == [i * 0.5 for i in range(2000)]


def scenario_deadline():
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        start = time.monotonic()
        expect_error(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            lambda: stub(channel).Unary(echo_pb2.EchoRequest(delay_ms=5000), timeout=0.2),
        )
        assert time.monotonic() - start < 3
        expect_error(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            lambda: list(stub(channel).Stream(echo_pb2.EchoRequest(delay_ms=100, responses=1000), timeout=0.5)),
        )
        seen = stub(channel).Unary(echo_pb2.EchoRequest(describe=True), timeout=30).deadline_ms
        # gRPC's core sends a timeout of this length rounded up to tenths of a second.
        assert 20_000 < seen <= 30_100, seen
        assert stub(channel).Unary(echo_pb2.EchoRequest(describe=True)).deadline_ms == 0


def scenario_cancel():
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        calls = [stub(channel).Unary.future(echo_pb2.EchoRequest(delay_ms=60_000)) for _ in range(100)]
        time.sleep(0.3)
        for call in calls:
            call.cancel()
        assert all(call.code() == grpc.StatusCode.CANCELLED for call in calls)
        # An endless stream, cancelled after its third message: the server stops making more.
        stream = stub(channel).Stream(echo_pb2.EchoRequest(padding_bytes=10_000, responses=2**31))
        for _ in range(3):
            next(stream)
        stream.cancel()
        time.sleep(0.5)
        before = server.processor_seconds()
        time.sleep(1)
        assert server.processor_seconds() - before < 0.3, "the server still works for a cancelled call"


def scenario_errors():
    codes = [code for code in grpc.StatusCode if code != grpc.StatusCode.OK]
    message = "100% größer\n\x7f ~ 日本"
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        for code in codes:
            request = echo_pb2.EchoRequest(fail_code=code.value[0], fail_message=message, fail_details=b"\0\x01\xfe")
            error = expect_error(code, lambda: stub(channel).Unary(request, timeout=5))
            assert error.details() == message, error.details()
            assert dict(error.trailing_metadata())["grpc-status-details-bin"] == b"\0\x01\xfe"


def scenario_unknown_method_and_garbage():
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        for path in [f"/{SERVICE}/Nope", "/nope.Nope/Unary", f"/{SERVICE}", "/", f"/{SERVICE}/Unary/"]:
            expect_error(grpc.StatusCode.UNIMPLEMENTED, lambda: channel.unary_unary(path)(b"", timeout=5))
        for garbage in [b"\xff\xff\xff", b"\x0a\x07abc", b"\x0a\xff\xff\xff\xff\x0f", b"\x22\x02\xc3\x28", os.urandom(999)]:
            method = channel.unary_unary(f"/{SERVICE}/Unary")
            try:
                method(garbage, timeout=5)
            except grpc.RpcError as error:
                allowed = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL)
                assert error.code() in allowed, f"{garbage[:9]}: {error.code()} {error.details()}"
            else:
                # Random bytes may be a message of unknown fields by accident; the fixed ones are not.
                assert len(garbage) == 999, garbage


def scenario_big_messages():
    with Server(growth=256) as server, grpc.insecure_channel(server.address, UNLIMITED) as channel:
        payload = os.urandom(3 * MEGABYTE + 17)
        for _ in range(3):
            assert stub(channel).Unary(echo_pb2.EchoRequest(payload=payload), timeout=30).payload == payload
        sent = [os.urandom(MEGABYTE) for _ in range(8)]
        echoed = stub(channel).Chat((echo_pb2.EchoRequest(payload=p) for p in sent), timeout=60)
        assert [r.payload for r in echoed] == sent
        in_threads(
            4, lambda _: stub(channel).Unary(echo_pb2.EchoRequest(payload=payload), timeout=60).payload == payload
        )


def scenario_message_over_the_limit():
    with Server() as server, grpc.insecure_channel(server.address, UNLIMITED) as channel:
        for size in [4 * MEGABYTE + 1, 64 * MEGABYTE]:
            request = echo_pb2.EchoRequest(payload=b"\0" * size)
            expect_error(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: stub(channel).Unary(request, timeout=30))
            expect_error(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: list(stub(channel).Chat(iter([request]), timeout=30)))


def scenario_metadata():
    sent = [("b", "2"), ("a", "1"), ("a", "one, two"), ("x-bytes-bin", b"\0\x80\xff"), ("long", "v" * 3000)]
    expected = sorted(
        f"{key}: {value.hex() if isinstance(value, bytes) else value}" for key, value in sent
    )
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        response = stub(channel).Unary(echo_pb2.EchoRequest(describe=True), metadata=sent, timeout=5)
        lines = [line for line in response.metadata if not line.startswith("user-agent:")]
        assert lines == expected, lines


def scenario_gzip():
    payload = b"compressible " * 50_000
    with Server() as server:
        with grpc.insecure_channel(server.address, compression=grpc.Compression.Gzip) as channel:
            assert stub(channel).Unary(echo_pb2.EchoRequest(payload=payload), timeout=10).payload == payload
            streamed = stub(channel).Stream(echo_pb2.EchoRequest(payload=payload, responses=5), timeout=10)
            assert [r.payload for r in streamed] == [payload] * 5
            # Four kilobytes that unpack to over the limit of four megabytes.
            bomb = echo_pb2.EchoRequest(payload=b"\0" * (5 * MEGABYTE))
            expect_error(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: stub(channel).Unary(bomb, timeout=10))
        # A compression that the server does not know.
        with grpc.insecure_channel(server.address, compression=grpc.Compression.Deflate) as channel:
            request = echo_pb2.EchoRequest(payload=payload)
            expect_error(grpc.StatusCode.UNIMPLEMENTED, lambda: stub(channel).Unary(request, timeout=10))


def scenario_health():
    serving = health_pb2.HealthCheckResponse.SERVING
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ["", SERVICE]:
            assert health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status == serving
        unknown = health_pb2.HealthCheckRequest(service="nope")
        expect_error(grpc.StatusCode.NOT_FOUND, lambda: health.Check(unknown, timeout=5))
        watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=20)
        assert next(watch).status == serving
        watch.cancel()


def scenario_reflection():
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = set(database.get_services())
        assert {SERVICE, "grpc.health.v1.Health"} <= services, services
        descriptor = DescriptorPool(database).FindServiceByName(SERVICE)
        assert [method.name for method in descriptor.methods] == ["Unary", "Stream", "Chat"]
        fields = {field.name: field.number for field in descriptor.methods_by_name["Unary"].input_type.fields}
        assert fields["ids"] == 1 and fields["payload"] == 7, fields


def scenario_many_concurrent():
    ids = list(range(64))
    with Server() as server:

        def work(_):
            with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
                calls = [stub(channel).Unary.future(echo_pb2.EchoRequest(ids=ids), timeout=60) for _ in range(500)]
                assert all(list(call.result().values) == values(ids) for call in calls)

        in_threads(16, work)
        # Two thousand that wait at the same time: none holds a thread.
        with grpc.insecure_channel(server.address) as channel:
            start = time.monotonic()
            request = echo_pb2.EchoRequest(ids=ids, delay_ms=1000)
            calls = [stub(channel).Unary.future(request, timeout=60) for _ in range(2000)]
            assert all(list(call.result().values) == values(ids) for call in calls)
            assert time.monotonic() - start < 30


def scenario_drain_finishes_calls():
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        calls = [stub(channel).Unary.future(echo_pb2.EchoRequest(ids=[8], delay_ms=1500)) for _ in range(50)]
        stream = stub(channel).Stream(echo_pb2.EchoRequest(ids=[8], delay_ms=100, responses=15))
        next(stream)
        time.sleep(0.3)
        server.process.terminate()
        assert all(list(call.result().values) == [4] for call in calls)
        assert len(list(stream)) == 14
        assert server.process.wait(10) == 0


def scenario_drain_under_load():
    """Two servers behind round-robin; one is told to stop under load, and no call fails."""
    with Server() as first, Server() as second:
        target = f"ipv4:{first.address},{second.address}"
        options = [("grpc.lb_policy_name", "round_robin")]
        with grpc.insecure_channel(target, options) as channel:
            answered = [0] * 4
            stop = threading.Event()

            def work(index):
                while not stop.is_set():
                    request = echo_pb2.EchoRequest(ids=[8], delay_ms=index)
                    assert list(stub(channel).Unary(request, timeout=10).values) == [4]
                    answered[index] += 1

            def director():
                try:
                    wait_until(lambda: sum(answered) > 200, "the load runs")
                    first.process.terminate()
                    assert first.process.wait(10) == 0
                    before = sum(answered)
                    wait_until(lambda: sum(answered) > before + 200, "the load runs on the other server")
                finally:
                    stop.set()

            in_threads(5, lambda index: work(index) if index < 4 else director())


def scenario_tls():
    with Certificates() as files:
        options = ["--certificate", files.path("server"), "--key", files.path("server-key")]
        with Server(*options) as server:
            trusting = grpc.ssl_channel_credentials(files.read("ca"))
            with grpc.secure_channel(server.address, trusting) as channel:
                assert list(stub(channel).Unary(echo_pb2.EchoRequest(ids=[6]), timeout=10).values) == [3]
                payload = os.urandom(2 * MEGABYTE)
                assert stub(channel).Unary(echo_pb2.EchoRequest(payload=payload), timeout=10).payload == payload
            wary = grpc.ssl_channel_credentials(files.read("other-ca"))
            with grpc.secure_channel(server.address, wary) as channel:
                expect_error(grpc.StatusCode.UNAVAILABLE, lambda: stub(channel).Unary(echo_pb2.EchoRequest(), timeout=5))
            with grpc.insecure_channel(server.address) as channel:
                expect_error(grpc.StatusCode.UNAVAILABLE, lambda: stub(channel).Unary(echo_pb2.EchoRequest(), timeout=5))
            with grpc.secure_channel(server.address, trusting) as channel:
                assert list(stub(channel).Unary(echo_pb2.EchoRequest(ids=[6]), timeout=10).values) == [3]


def scenario_mutual_tls():
    with Certificates() as files:
        options = ["--certificate", files.path("server"), "--key", files.path("server-key")]
        with Server(*options, "--client-ca", files.path("ca")) as server:

            def call(key=None, certificate=None):
                pair = {} if key is None else {"private_key": files.read(key), "certificate_chain": files.read(certificate)}
                with grpc.secure_channel(server.address, grpc.ssl_channel_credentials(files.read("ca"), **pair)) as channel:
                    return list(stub(channel).Unary(echo_pb2.EchoRequest(ids=[6]), timeout=10).values)

            assert call("client-key", "client") == [3]
            expect_error(grpc.StatusCode.UNAVAILABLE, call)
            expect_error(grpc.StatusCode.UNAVAILABLE, lambda: call("stranger-key", "stranger"))
            assert call("client-key", "client") == [3]


def scenario_health():
    serving = health_pb2.HealthCheckResponse.SERVING
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ["", SERVICE]:
            assert health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status == serving
        unknown = health_pb2.HealthCheckRequest(service="nope")
        expect_error(grpc.StatusCode.NOT_FOUND, lambda: health.Check(unknown, timeout=5))
        watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=20)
        assert next(watch).status == serving
        watch.cancel()


def scenario_reflection():
    with Server() as server, grpc.insecure_channel(server.address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = set(database.get_services())
        assert {SERVICE, "grpc.health.v1.Health"} <= services, services
        descriptor = DescriptorPool(database).FindServiceByName(SERVICE)
        assert [method.name for method in descriptor.methods] == ["Unary", "Stream", "Chat"]
        fields = {field.name: field.number for field in descriptor.methods_by_name["Unary"].input_type.fields}
        assert fields["ids"] == 1 and fields["payload"] == 7, fields
