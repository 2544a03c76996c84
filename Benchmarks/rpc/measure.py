"""Measures the servers' processor time per unary echo: 64 ids in, 64 floats out.

Each server runs alone on the last core, h2load on the first. In every round each server is started, asked once for the
right answer, warmed up and measured; the rounds go over all servers, so that a slow minute of the machine hits all.
Figures are medians over the rounds. Processor time is what the scheduler accounts to all threads of the server, user
and system together.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/peers")]

import grpc  # noqa: E402

from harness import Certificates, echo_pb2, stub, values  # noqa: E402
from http2_raw import UNARY, message  # noqa: E402

IDS = [(i * 0x9E3779B97F4A7C15) % 2**64 for i in range(64)]
REQUEST = message(echo_pb2.EchoRequest(ids=IDS).SerializeToString())
ANSWER = message(echo_pb2.EchoResponse(values=values(IDS)).SerializeToString())

OURS = "tributary"
BUILD = ROOT / ".build"
SERVERS = {
    OURS: f"{BUILD}/release/rpc-echo serve --port PORT --loops 1",
    "grpc-c++ queue": f"{BUILD}/peers/grpc-cpp/echo-grpc-cpp queue PORT",
    "grpc-c++ callback": f"{BUILD}/peers/grpc-cpp/echo-grpc-cpp callback PORT",
    "grpc-swift-2": f"{ROOT}/Benchmarks/rpc/peers/grpc-swift/.build/release/echo-grpc-swift PORT",
    "nghttpd": "nghttpd --no-tls -n 1 -d FILES PORT",
}
TLS_SERVERS = {
    OURS: SERVERS[OURS] + " --certificate CERTIFICATE --key KEY",
    "grpc-c++ queue": SERVERS["grpc-c++ queue"] + " CERTIFICATE KEY",
    "grpc-c++ callback": SERVERS["grpc-c++ callback"] + " CERTIFICATE KEY",
    "grpc-swift-2": SERVERS["grpc-swift-2"] + " CERTIFICATE KEY",
    "nghttpd": "nghttpd -n 1 -d FILES PORT KEY CERTIFICATE",
}
# (label, connections, streams per connection, TLS, requests)
MODES = [
    ("-c 8 -m 32", 8, 32, False, 40_000),
    ("-c 8 -m 1", 8, 1, False, 20_000),
    ("TLS -c 8 -m 32", 8, 32, True, 40_000),
    ("TLS -c 8 -m 1", 8, 1, True, 20_000),
]
# Largest share of the peer's processor time that we aim at, by mode; "grpc-c++" is the better of its two servers.
BARS = {
    "-c 8 -m 32": {"grpc-c++": 1 / 3, "grpc-swift-2": 1 / 8, "nghttpd": 1.3},
    "-c 8 -m 1": {"grpc-c++": 1.0},
}
FIELDS = ["microseconds", "requests_per_second", "p50", "p99", "resident"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, command, files, certificates, core):
        self.port = free_port()
        words = command.replace("PORT", str(self.port)).replace("FILES", files)
        words = words.replace("CERTIFICATE", certificates.path("server")).replace("KEY", certificates.path("server-key"))
        self.command = ["taskset", "-c", str(core), *words.split()]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"measure.py: nothing listens on {self.port}: {' '.join(self.command)}")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def processor_seconds(self):
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def peak_megabytes(self):
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024


def check_answer(server, certificates, tls):
    """One call by another gRPC implementation: no server is measured at answering with errors."""
    options = [("grpc.ssl_target_name_override", "localhost")]
    credentials = grpc.ssl_channel_credentials(certificates.read("ca"))
    address = f"127.0.0.1:{server.port}"
    channel = grpc.secure_channel(address, credentials, options) if tls else grpc.insecure_channel(address)
    with channel:
        answer = stub(channel).Unary(echo_pb2.EchoRequest(ids=IDS), timeout=20)
    if list(answer.values) != values(IDS):
        raise SystemExit(f"measure.py: wrong answer from {' '.join(server.command)}")


def h2load(server, mode, path, requests, log):
    _, connections, streams, tls, _ = mode
    command = ["taskset", "-c", "0", "h2load", "-n", str(requests), "-c", str(connections), "-m", str(streams)]
    command += ["-d", f"{log}.request", "--log-file", log, "-H", "content-type: application/grpc", "-H", "te: trailers"]
    command.append(f"{'https' if tls else 'http'}://127.0.0.1:{server.port}{path}")
    output = subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
    succeeded = int(re.search(r"(\d+) succeeded", output)[1])
    data = int(re.search(r"\((\d+)\) data", output)[1])
    if succeeded != requests or data != requests * len(ANSWER):
        raise SystemExit(f"measure.py: incomplete answers from {' '.join(server.command)}:\n{output}")
    return float(re.search(r"finished in [^,]+, ([\d.]+) req/s", output)[1])


def measure(name, command, mode, scale, directory, certificates):
    label, connections, streams, tls, requests = mode
    requests = max(connections * streams, int(requests * scale))
    log = f"{directory}/log"
    Path(f"{log}.request").write_bytes(REQUEST)
    path = "/answer" if name == "nghttpd" else UNARY
    with Server(command, directory, certificates, os.cpu_count() - 1) as server:
        if name != "nghttpd":
            check_answer(server, certificates, tls)
        h2load(server, mode, path, max(requests // 5, connections * streams), log)
        Path(log).unlink()
        before = server.processor_seconds()
        rate = h2load(server, mode, path, requests, log)
        spent = server.processor_seconds() - before
        latencies = sorted(int(line.split()[2]) for line in Path(log).read_text().splitlines())
        Path(log).unlink()
        p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
        return dict(zip(FIELDS, [spent / requests * 1e6, rate, p50, p99, server.peak_megabytes()]))


def medians(rounds):
    return {field: statistics.median(result[field] for result in rounds) for field in FIELDS}


def print_table(label, table):
    print(f"\n{label}")
    print(f"  {'server':18} {'CPU us/request':>14} {'of theirs':>10} {'requests/s':>11} {'p50 us':>8} {'p99 us':>8} {'MB':>7}")
    ours = table[OURS]["microseconds"]
    for name, row in table.items():
        share = "" if name == OURS else f"{ours / row['microseconds']:.2f}"
        print(
            f"  {name:18} {row['microseconds']:14.2f} {share:>10} {row['requests_per_second']:11.0f}"
            f" {row['p50']:8.0f} {row['p99']:8.0f} {row['resident']:7.1f}"
        )


def compare(label, table):
    """Our share of each peer's processor time, with gRPC C++ at its better one."""
    costs = {name: row["microseconds"] for name, row in table.items()}
    best = {"grpc-c++": min((v for k, v in costs.items() if k.startswith("grpc-c++")), default=None)}
    best |= {name: cost for name, cost in costs.items() if name != OURS and not name.startswith("grpc-c++")}
    ratios = {name: costs[OURS] / cost for name, cost in best.items() if cost}
    for name, bar in BARS.get(label, {}).items():
        if name in ratios:
            verdict = "met" if ratios[name] <= bar else "MISSED"
            print(f"  bar: at most {bar:.3f} of {name}: {ratios[name]:.3f}, {verdict}")
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each server in each mode (5)")
    parser.add_argument("--scale", type=float, default=1, help="factor on the number of requests (1)")
    parser.add_argument("--only", action="append", help="measure only this server; may be repeated", choices=SERVERS)
    arguments = parser.parse_args()
    names = arguments.only or list(SERVERS)
    if OURS not in names:
        names = [OURS, *names]
    for tool in ["taskset", "h2load", "nghttpd"]:
        if not shutil.which(tool):
            raise SystemExit(f"measure.py: {tool} is missing")
    result = {"name": "rpc", "unit": "us of server CPU per request, -c 8 -m 32", "peers": {}, "ratios": {}, "modes": {}}
    with Certificates() as certificates, tempfile.TemporaryDirectory() as directory:
        Path(directory, "answer").write_bytes(ANSWER)
        for mode in MODES:
            label, tls = mode[0], mode[3]
            servers = TLS_SERVERS if tls else SERVERS
            rounds = {name: [] for name in names}
            for number in range(arguments.rounds):
                for name in names:
                    rounds[name].append(measure(name, servers[name], mode, arguments.scale, directory, certificates))
                print(f"{label}: round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
            table = {name: medians(rounds[name]) for name in names}
            print_table(f"{label}, medians of {arguments.rounds} rounds, load {os.getloadavg()[0]:.1f}", table)
            ratios = compare(label, table)
            result["modes"][label] = {name: {k: round(v, 2) for k, v in row.items()} for name, row in table.items()}
            result["ratios"] |= {f"{label}: {name}": round(ratio, 3) for name, ratio in ratios.items()}
    first = result["modes"][MODES[0][0]]
    result["value"] = first[OURS]["microseconds"]
    result["peers"] = {name: row["microseconds"] for name, row in first.items() if name != OURS}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
