"""What the peer scenarios share: the echo protocol, our server as a process, and what must hold after each scenario."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Protos"))
echo_pb2, echo_pb2_grpc = grpc.protos_and_services("tributary/test/v1/echo.proto")

PROGRAM = os.environ.get("RPC_ECHO", str(ROOT / ".build/debug/rpc-echo"))

# A debug build idles at about 30 MB. What a scenario may leave behind or need at its peak; far below what one would
# need that keeps all it is sent.
RESIDENT_GROWTH_MEGABYTES = 96


class Server:
    """Our server as a process. The end of a `with` block checks that it still serves and has neither kept connections
    nor grown by more than `growth` megabytes, then that it stops cleanly on SIGTERM."""

    def __init__(self, *options, growth=RESIDENT_GROWTH_MEGABYTES, drain_seconds=12):
        self.options = options
        self.growth = growth
        self.drain_seconds = drain_seconds

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        command = [PROGRAM, "serve", "--port", "0", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        if not match:
            self.process.kill()
            raise AssertionError(f"rpc-echo said {line!r}; its log: {self.read_log()}")
        self.port = int(match[1])
        self.address = f"127.0.0.1:{self.port}"
        # The first connections may open descriptors that stay, and the first call that sleeps opens the runtime's timer.
        for delay in range(4):
            self.call(delay)
        time.sleep(0.1)
        self.descriptors_at_start = self.descriptors()
        self.resident_at_start = self.resident("VmRSS")
        return self

    def __exit__(self, kind, error, trace):
        try:
            if error is None and self.process.poll() is None:
                self.check()
        finally:
            self.stop(error)

    def stop(self, error=None):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(self.drain_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            if error is None:
                raise AssertionError(f"the server did not stop within {self.drain_seconds} s: {self.read_log()}")
            return
        if code != 0:
            raise AssertionError(f"the server ended with code {code}: {self.read_log()}") from error

    def read_log(self):
        self.log.seek(0)
        return self.log.read()[-4000:]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self, field):
        """VmRSS (now) or VmHWM (highest so far), in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) / 1024

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def call(self, delay_ms=0):
        """One call on a connection of its own; a server with TLS is only asked for the connection."""
        if "--certificate" in self.options:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return
        with grpc.insecure_channel(self.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            response = stub(channel).Unary(echo_pb2.EchoRequest(ids=[2, 4], delay_ms=delay_ms), timeout=10)
            assert list(response.values) == [1, 2], response

    def check(self):
        self.call()
        wait_until(
            lambda: self.descriptors() <= self.descriptors_at_start,
            f"open descriptors return to the {self.descriptors_at_start} of the start",
        )
        peak = self.resident("VmHWM") - self.resident_at_start
        assert peak < self.growth, f"memory peaked {peak:.0f} MB above the start"


def wait_until(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def stub(channel):
    return echo_pb2_grpc.EchoStub(channel)


def expect_error(code, call, text=None):
    """Runs `call`, which must fail with `code` and a message that contains `text`; returns the error."""
    try:
        result = call()
    except grpc.RpcError as error:
        assert error.code() == code, f"expected {code}, got {error.code()}: {error.details()}"
        assert text is None or text in error.details(), error.details()
        return error
    raise AssertionError(f"expected {code}, got an answer: {str(result)[:200]}")


def values(ids):
    """What the echo service answers to ids; every value is exact in float32."""
    return [(i & 0xFFFF) * 0.5 for i in ids]


class Certificates:
    """A directory of fresh certificates, made by certificates.sh."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        script = Path(__file__).with_name("certificates.sh")
        subprocess.run([script, self.directory.name], check=True)
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def path(self, name):
        return f"{self.directory.name}/{name}.pem"

    def read(self, name):
        return Path(self.path(name)).read_bytes()


def in_threads(count, work):
    """Runs work(index) in `count` threads and raises the first error."""
    errors = []

    def guarded(index):
        try:
            work(index)
        except BaseException as error:  # Handed to the caller below.
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
