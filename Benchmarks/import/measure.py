"""Measures `tributary import csv:DIR` beside pandas and polars on the same file, interleaved, each pinned to one core.

The figure is rows per second of that core's time, user and system: other programs on the machine then count for
little. The time that passed is printed beside it; on a machine that does nothing else the two agree, but for the disk.
"""

import argparse
import importlib.metadata
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time


def run(command: list[str], core: int) -> tuple[float, float]:
    """Wall and CPU seconds of a command on one core."""
    environment = os.environ | {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    _, errors = process.communicate()
    wall = time.monotonic() - started
    if process.returncode != 0:
        sys.exit(f"measure.py: {' '.join(command)}: exit code {process.returncode}: {errors.decode()[-500:]}")
    # wait4 is taken by communicate, so the difference of all children is this one's.
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime - run.spent
    run.spent += cpu
    return wall, cpu


run.spent = 0.0


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {value}")
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=positive, default=10_000_000, help="events in the log")
    parser.add_argument("--rounds", type=positive, default=3, help="measurements of each program; the median counts")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core to run on")
    parser.add_argument("--folder", default=".build/peers/import", help="where the log and the results go")
    options = parser.parse_args()
    if options.core not in os.sched_getaffinity(0):
        parser.error(f"--core: this process may not run on core {options.core}")

    here = os.path.dirname(os.path.abspath(__file__))
    data = f"{options.folder}/log-{options.rows}"
    log = f"{data}/events.csv"
    os.makedirs(data, exist_ok=True)
    if not os.path.exists(log):
        print(f"writing {options.rows} events", file=sys.stderr)
        subprocess.run([sys.executable, f"{here}/make_log.py", log, str(options.rows)], check=True)
    with open(log, "rb") as file:  # Into the page cache: reading it from a disk is not what is measured.
        while file.read(1 << 24):
            pass

    output = f"{options.folder}/output"
    commands = {"tributary": [".build/release/tributary", "import", f"csv:{data}", "--output", output]}
    for peer in ("pandas", "polars"):
        name = f"{peer} {importlib.metadata.version(peer)}"
        commands[name] = [sys.executable, f"{here}/peer.py", peer, log, f"{options.folder}/columns.npz"]

    seconds = {name: [] for name in commands}
    passed = {name: [] for name in commands}
    for round_number in range(options.rounds):
        for name, command in commands.items():
            shutil.rmtree(output, ignore_errors=True)
            wall, cpu = run(command, options.core)
            seconds[name].append(cpu)
            passed[name].append(wall)
            print(f"round {round_number + 1}: {name}: {wall:.2f} s, {cpu:.2f} s of CPU", file=sys.stderr)

    rates = {name: options.rows / statistics.median(times) for name, times in seconds.items()}
    print(f"{os.path.getsize(log) / 1e6:.0f} MB, {options.rows} events, core {options.core}, median of {options.rounds}")
    print(f"{'':>20} {'rows/s of core':>16} {'core':>10} {'passed':>10}")
    for name, rate in rates.items():
        core, wall = statistics.median(seconds[name]), statistics.median(passed[name])
        print(f"{name:>20} {rate:>16,.0f} {core:>8.2f} s {wall:>8.2f} s")
    ours = rates.pop("tributary")
    print(
        json.dumps(
            {
                "name": "import",
                "value": round(ours),
                "unit": "rows/s",
                "peers": {name: round(rate) for name, rate in rates.items()},
                "ratios": {name: round(ours / rate, 2) for name, rate in rates.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
