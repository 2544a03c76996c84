"""Measures whole nets on one core: this project's beside onnxruntime and PyTorch, the same weights and inputs, taking turns
round by round. Outputs are compared in the same run; a difference beyond its bound ends it with an error."""

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import numpy
from safetensors.numpy import load_file

import peers
import weights

FLOAT_BOUND = 1e-4  # Of the greatest magnitude of an output.
INT8_BOUND = 0.07  # Root mean square error, of the outputs' standard deviation: seven layers in sequence, about .02 each.
SLICE = 0.03  # Seconds that a program runs before the next has its turn.


class Tributary:
    """The process that runs our nets; it works when it is told to, and only then."""

    def __init__(self, path: str):
        command = [".build/release/nets-bench", path]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.kernels = self.process.stdout.readline().strip()

    def ask(self, line: str) -> str:
        print(line, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit(f"measure.py: nets-bench ended at '{line}'")
        return answer

    def seconds(self, net: str, calls: int) -> float:
        return float(self.ask(f"{net} {calls}"))

    def output(self, net: str, folder: str) -> numpy.ndarray:
        path = f"{folder}/output.safetensors"
        self.ask(f"output {net} {path}")
        return load_file(path)["y"]

    def stop(self) -> None:
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit(f"measure.py: nets-bench ended with {self.process.returncode}")


def timed(program):
    def run(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            program()
        return (time.perf_counter() - start) / calls

    return run


def take_turns(programs: dict, rounds: int) -> dict[str, float]:
    """Seconds a call, the median over the rounds."""
    calls = {}
    for name, run in programs.items():
        run(3)
        calls[name] = max(1, round(SLICE / run(3)))
    found = {name: [] for name in programs}
    for _ in range(rounds):
        for name, run in programs.items():
            found[name].append(run(calls[name]))
    return {name: statistics.median(values) for name, values in found.items()}


def compare(net: str, outputs: dict[str, numpy.ndarray]) -> dict[str, float]:
    """Against PyTorch's eager float32; float32 by the greatest difference, int8 by the root mean square."""
    reference = outputs["torch eager"].ravel()
    errors = {}
    for name, output in outputs.items():
        difference = output.ravel() - reference
        is_int8 = name.endswith("int8")
        errors[name] = float(
            numpy.sqrt(numpy.mean(difference**2)) / reference.std()
            if is_int8
            else numpy.abs(difference).max() / max(1, numpy.abs(reference).max()))
        # The peer's own quantisation is reported, not judged.
        if name != "onnxruntime int8" and not errors[name] <= (INT8_BOUND if is_int8 else FLOAT_BOUND):
            sys.exit(f"measure.py: {net}: {name} differs from torch by {errors[name]}")
    return errors


def measure(net: str, ours: Tributary, tensors: dict, arguments: argparse.Namespace) -> dict[str, float]:
    own = {"tributary": net} | ({} if net == "din" else {"tributary int8": f"{net}.int8"})
    others = peers.programs(tensors, net, arguments.folder)
    outputs = {name: ours.output(case, arguments.folder) for name, case in own.items()}
    errors = compare(net, outputs | {name: program() for name, program in others.items()})
    programs = {name: (lambda calls, case=case: ours.seconds(case, calls)) for name, case in own.items()}
    seconds = take_turns(programs | {name: timed(program) for name, program in others.items()}, arguments.rounds)
    gflop = weights.operations(net) / 1e9
    print(f"\n{net}: {weights.ROWS[net]} rows, {gflop:.3f} GFLOP")
    for name, value in seconds.items():
        share = f"{gflop / value / arguments.peak:6.1%} of peak" if arguments.peak else ""
        kind = "rms" if name.endswith("int8") else "max"
        print(
            f"{name:>26} {value * 1e6:>10.1f} us {value / seconds['tributary']:>7.2f} {gflop / value:>8.1f} GFLOP/s {share}"
            f"   {kind} difference {errors[name]:.2g}"
        )
    return seconds


def ratios(net: str, seconds: dict[str, float]) -> dict[str, float]:
    torch = min(value for name, value in seconds.items() if name in ("torch eager", "torch frozen"))
    own = seconds["tributary"]
    found = {"onnxruntime": seconds["onnxruntime"] / own, "torch": torch / own}
    if net == "din":
        hand = min(value for name, value in seconds.items() if name.startswith("torch factorised"))
        found |= {"onnxruntime factorised": seconds["onnxruntime factorised"] / own, "torch factorised": hand / own}
    else:
        int8 = seconds["tributary int8"]
        found |= {
            "int8, onnxruntime int8": seconds["onnxruntime int8"] / int8,
            "int8, onnxruntime float32": seconds["onnxruntime"] / int8,
        }
    return {f"{net}, {name}": round(value, 2) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each program; the median counts")
    parser.add_argument("--nets", default=",".join(weights.ROWS), help="which nets, by comma")
    parser.add_argument("--core", type=int, default=0, help="the core that all programs run on")
    parser.add_argument("--folder", default=".build/peers/nets", help="where weights and graphs go")
    arguments = parser.parse_args()
    nets = arguments.nets.split(",")
    if arguments.rounds < 1 or not set(nets) <= set(weights.ROWS):
        parser.error(f"expected --rounds of at least 1 and --nets among {','.join(weights.ROWS)}")
    os.sched_setaffinity(0, {arguments.core})
    arguments.peak = float(subprocess.check_output([f"{arguments.folder}/peak"], text=True))
    tensors = weights.make(f"{arguments.folder}/weights.safetensors")
    ours = Tributary(f"{arguments.folder}/weights.safetensors")
    versions = {name: importlib.metadata.version(name) for name in ("onnxruntime", "torch")}
    print(f"{ours.kernels}, core {arguments.core}, peak {arguments.peak} GFLOP/s, {versions}")
    seconds = {net: measure(net, ours, tensors, arguments) for net in nets}
    ours.stop()
    main_net = "mmoe" if "mmoe" in nets else nets[0]
    print(
        json.dumps(
            {
                "name": "nets",
                "value": round(seconds[main_net]["tributary"] * 1e6, 1),
                "unit": f"us, {main_net}",
                "peers": {
                    f"{name}, {net}": round(value * 1e6, 1)
                    for net, found in seconds.items() for name, value in found.items()
                },
                "ratios": {name: value for net, found in seconds.items() for name, value in ratios(net, found).items()},
            }
        )
    )


if __name__ == "__main__":
    main()
