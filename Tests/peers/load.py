"""h2load as a client of our server: every request answered, every answer whole."""

import re
import shutil
import subprocess
import tempfile

from harness import Certificates, Server, echo_pb2
from http2_raw import UNARY, message

IDS = list(range(64))
REQUEST = message(echo_pb2.EchoRequest(ids=IDS).SerializeToString())
ANSWER = len(message(echo_pb2.EchoResponse(values=[0.5] * 64).SerializeToString()))


def load(server, requests, connections, streams, scheme="http"):
    h2load = shutil.which("h2load")
    assert h2load, "h2load is missing: run scripts/install-packages.sh --tests"
    with tempfile.NamedTemporaryFile() as body:
        body.write(REQUEST)
        body.flush()
        command = [h2load, "-n", str(requests), "-c", str(connections), "-m", str(streams), "-d", body.name]
        command += ["-H", "content-type: application/grpc", "-H", "te: trailers", f"{scheme}://{server.address}{UNARY}"]
        output = subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
    succeeded = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    assert succeeded and succeeded.groups() == (str(requests), "0", "0", "0"), output
    # An error would be an answer without data: the bytes tell that every call returned its 64 values.
    data = int(re.search(r"\((\d+)\) data", output)[1])
    assert data == requests * ANSWER, f"{data} bytes of data for {requests} answers of {ANSWER}"


def scenario_h2load():
    with Server() as server:
        load(server, 20_000, 8, 32)
        load(server, 5_000, 8, 1)
        load(server, 5_000, 500, 4)
        load(server, 20_000, 4, 100)


def scenario_h2load_tls():
    with Certificates() as files:
        with Server("--certificate", files.path("server"), "--key", files.path("server-key")) as server:
            load(server, 10_000, 8, 32, scheme="https")
            load(server, 2_000, 100, 4, scheme="https")
