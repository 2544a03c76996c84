"""Measures the `rank` benchmark: the Rank call of a ranker over loopback, with one caller and with one for each core.

Then what long histories cost the default net alone, on one thread.

The snapshot has models of the default specification with random weights. The server is a process of its own that serves it as the
ranker's does; perf samples that process alone, and its processor time is what the system accounts to all of its threads.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from kernel_share import kernel_share  # noqa: E402

parser = argparse.ArgumentParser(prog="scripts/bench.sh rank")
parser.add_argument("--items", type=int, default=100_000, help="items of the catalogue")
parser.add_argument("--candidates", type=int, default=2_000)
parser.add_argument("--keep", type=int, default=500, help="candidates that come through the cut")
parser.add_argument("--calls", type=int, default=1_500, help="calls of a round")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--specification", help="JSON file of models, in parts; the default without it")
parser.add_argument("--int8", action="store_true", help="layers in bytes where they may be")
parser.add_argument("--directory", help="where the snapshot is made and kept; without it, it is made anew")
parser.add_argument("--tool", default=".build/release/rank-bench")
options = parser.parse_args()

CORES = len(os.sched_getaffinity(0))
STAGES = ["call", "server", "pre_rank", "rank"]


def make(directory):
    if os.path.exists(f"{directory}/requests"):
        return
    print(f"making a snapshot of {options.items} items ...", file=sys.stderr, flush=True)
    command = [options.tool, "make", "--directory", directory, "--items", str(options.items), "--candidates",
               str(options.candidates), "--keep", str(options.keep)]
    if options.specification:
        command += ["--specification", options.specification]
    subprocess.run(command + (["--int8"] if options.int8 else []), check=True)


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def call(server, port, concurrency):
    start = processor_seconds(server.pid)
    run = subprocess.run(
        [options.tool, "call", "--directory", directory, "--port", port, "--calls", str(options.calls),
         "--concurrency", str(concurrency)],
        check=True, capture_output=True, text=True)
    result = json.loads(run.stdout)
    # The requests are gone through in part before they are timed.
    result["cpu"] = (processor_seconds(server.pid) - start) * 1e6 / (options.calls + result["warm_up"])
    return result


def median(results, stage, share):
    return statistics.median(result[stage][share] for result in results)


def measure(server, port):
    results = {1: [], CORES: []}
    for _ in range(options.rounds):
        for concurrency in results:
            results[concurrency].append(call(server, port, concurrency))
    return results


def sample(server, port):
    """One more round under perf; without perf, nothing."""
    if not shutil.which("perf"):
        print("perf is not installed: no share of kernels", file=sys.stderr)
        return None
    samples = f"{directory}/samples"
    perf = subprocess.Popen(
        ["perf", "record", "--quiet", "--event", "cpu-clock", "--freq", "2000", "--output", samples, "--pid",
         str(server.pid)], stderr=subprocess.DEVNULL)
    call(server, port, 1)
    perf.terminate()
    perf.wait()
    return kernel_share(samples)


directory = options.directory or tempfile.mkdtemp(prefix="rank-bench-")
os.makedirs(directory, exist_ok=True)
make(directory)
server = subprocess.Popen(
    [options.tool, "serve", "--directory", directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL, text=True)
try:
    port = server.stdout.readline().strip()
    results = measure(server, port)
    kernels = sample(server, port)
    histories = json.loads(subprocess.run(
        [options.tool, "history", "--candidates", str(options.keep)], check=True, capture_output=True, text=True).stdout)
finally:
    server.stdin.close()
    server.wait(timeout=30)
    if not options.directory:
        shutil.rmtree(directory)

figures = {}
print(f"{'microseconds':34}" + "".join(f"{name:>22}" for name in ("1 caller: p50", "p99", f"{CORES} callers: p50", "p99")))
for stage in STAGES:
    cells = [median(results[concurrency], stage, share) for concurrency in results for share in ("p50", "p99")]
    print(f"{stage:34}" + "".join(f"{cell:22.0f}" for cell in cells))
cpu = statistics.median(result["cpu"] for result in results[1])
rate = statistics.median(result["per_second"] for result in results[CORES])
print(f"the ranker's processor time a call: {cpu:.0f} us; {rate:.0f} calls a second with {CORES} callers")
if kernels:
    print(f"inside kernels: {100 * kernels['share']:.1f} % of it; the rest mostly in")
    for share, name, own in kernels["top"][:16]:
        print(f"  {share:5.1f} %  {'kernel  ' if own else ''}{name[:110]}")
print(f"the net alone, {options.keep} candidates, one thread: microseconds   p50     p99")
for result in histories:
    print(f"  {result['history']:52}{result['p50']:9.0f}{result['p99']:8.0f}")
print(json.dumps({
    "name": "rank", "value": median(results[1], "call", "p50"), "unit": "microseconds a call, median, one caller",
    "p99": median(results[1], "call", "p99"), "cpu": round(cpu, 1),
    "stages": {stage: median(results[1], stage, "p50") for stage in STAGES[1:]},
    f"{CORES} callers": {"p50": median(results[CORES], "call", "p50"), "p99": median(results[CORES], "call", "p99"),
                         "per_second": rate},
    "kernel_share": round(kernels["share"], 4) if kernels else None,
    "histories": {result["history"]: result["p50"] for result in histories}, "items": options.items, "candidates": options.candidates, "ranked": options.keep, "int8": options.int8,
    "peers": {}, "ratios": {},
}))
