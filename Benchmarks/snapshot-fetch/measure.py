"""Measures the `snapshot-fetch` benchmark: rounds of our fetch and of `zstd -d`, in turn, on the same blobs.

Both write the unpacked files to the same file system. Our side also receives the bytes over loopback from another
process, keeps them for resuming, hashes them, and fsyncs what it wrote; `zstd -d` does none of that.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import time

parser = argparse.ArgumentParser(prog="scripts/bench.sh snapshot-fetch")
parser.add_argument("--megabytes", type=int, default=1000, help="size of the snapshot before compression")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--directory", default=".build/bench/snapshot-fetch", help="where the store and the copies lie")
parser.add_argument("--tool", default=".build/release/snapshot-fetch")
options = parser.parse_args()

store = f"{options.directory}/store-{options.megabytes}"
copies = f"{options.directory}/copies"
os.makedirs(options.directory, exist_ok=True)
if not os.path.isdir(f"{store}/manifests") or not os.listdir(f"{store}/manifests"):
    print(f"making a snapshot of {options.megabytes} MB ...", flush=True)
    subprocess.run(
        [options.tool, "make", "--store", store, "--megabytes", str(options.megabytes)],
        check=True, stdout=subprocess.DEVNULL)
manifest_name = sorted(name for name in os.listdir(f"{store}/manifests") if name.endswith(".json"))[-1]
with open(f"{store}/manifests/{manifest_name}") as file:
    manifest = json.load(file)
components = manifest["components"]
size = sum(component["size"] for component in components)
stored = sum(component["compressed_size"] for component in components)
blobs = [f"{store}/blobs/{component['sha256']}" for component in components]
for blob in blobs:  # Both sides read from the page cache.
    with open(blob, "rb") as file:
        while file.read(1 << 24):
            pass


def fresh_copies():
    shutil.rmtree(copies, ignore_errors=True)
    os.makedirs(copies)


def zstd():
    fresh_copies()
    start = time.perf_counter()
    for index, blob in enumerate(blobs):
        subprocess.run(["zstd", "-q", "-d", blob, "-o", f"{copies}/{index}"], check=True)
    return time.perf_counter() - start


def fetch(port):
    fresh_copies()
    run = subprocess.run(
        [options.tool, "fetch", "--port", str(port), "--cache", copies, manifest["version"]],
        check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


server = subprocess.Popen([options.tool, "serve", "--store", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
try:
    port = int(server.stdout.readline())
    zstd(), fetch(port)  # Warm up.
    ours, peers = [], []
    for number in range(options.rounds):
        ours.append(fetch(port))
        peers.append(zstd())
        print(f"round {number + 1}: fetch {ours[-1]['seconds']:.2f} s, zstd -d {peers[-1]:.2f} s", flush=True)
finally:
    server.stdin.close()
    server.wait(timeout=30)
    shutil.rmtree(copies, ignore_errors=True)

seconds = statistics.median(run["seconds"] for run in ours)
peer = statistics.median(peers)
ratio = statistics.median(peer / run["seconds"] for run, peer in zip(ours, peers))
memory = max(run["peak_memory_bytes"] for run in ours)
print()
print(f"snapshot            {size / 1e6:.0f} MB, {stored / 1e6:.0f} MB compressed, {len(components)} components")
print(f"fetch over loopback {seconds:.2f} s, {size / seconds / 1e6:.0f} MB/s unpacked; "
      f"{statistics.median(run['cpu_seconds'] for run in ours):.2f} s of CPU in the node")
print(f"zstd -d             {peer:.2f} s, {size / peer / 1e6:.0f} MB/s")
print(f"speed ratio         {ratio:.2f}")
print(f"peak memory         {memory / 1e6:.0f} MB beyond the start")
print(json.dumps({
    "name": "snapshot-fetch", "value": round(size / seconds / 1e6, 1), "unit": "MB/s",
    "peers": {"zstd -d": round(size / peer / 1e6, 1)},
    "ratios": {"speed / zstd -d": round(ratio, 3)},
    "peak_memory_mb": round(memory / 1e6, 1),
}))
