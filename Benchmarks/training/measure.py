"""Measures training samples a second of a multi-task ranking model beside PyTorch's: the same model, starting weights, rows in the
same order, batch and threads, interleaved. Both score the same held-out rows afterwards; their AUC of clicks must agree to
0.002."""

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys

import numpy
from rows import make
from safetensors.numpy import load_file


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {value}")
    return value


def run(command: list[str]) -> float:
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}: {process.stderr[-500:]}")
    return json.loads(process.stdout.strip().splitlines()[-1])["seconds"]


def area(scores: numpy.ndarray, labels: numpy.ndarray) -> float:
    ranks = numpy.empty(len(scores))
    ranks[numpy.argsort(scores, kind="stable")] = numpy.arange(1, len(scores) + 1)
    positives = labels.sum()
    return float((ranks[labels > 0].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=positive, default=3, help="measurements of each program; the median counts")
    parser.add_argument("--threads", type=positive, default=os.cpu_count(), help="threads of each program")
    parser.add_argument("--batch", type=positive, default=512)
    parser.add_argument("--train", type=positive, default=60_000, help="rows that are trained on")
    parser.add_argument("--test", type=positive, default=20_000, help="rows that are scored afterwards")
    parser.add_argument("--folder", default=".build/peers/training", help="where rows and results go")
    arguments = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    count = arguments.train + arguments.test
    rows, start = f"{arguments.folder}/rows-{count}.safetensors", f"{arguments.folder}/start.safetensors"
    if not os.path.exists(rows):
        print(f"making {count:,} rows", file=sys.stderr)
        make(rows, count)
    model, peer = f"{here}/model.json", f"PyTorch {importlib.metadata.version('torch')}"
    scores = {name: f"{arguments.folder}/scores.{name.split()[0]}" for name in ("tributary", peer)}
    sizes = [str(value) for value in (arguments.train, arguments.test, arguments.batch, arguments.threads)]
    run([".build/release/training-bench", "start", model, start])
    commands = {
        "tributary": [".build/release/training-bench", "train", model, rows, start, scores["tributary"], *sizes],
        peer: [sys.executable, f"{here}/peer.py", rows, start, scores[peer], *sizes],
    }
    seconds = {name: [] for name in commands}
    for index in range(arguments.rounds):
        for name, command in commands.items():
            seconds[name].append(run(command))
            print(f"round {index + 1}: {name}: {arguments.train / seconds[name][-1]:,.0f} samples/s", file=sys.stderr)
    labels = load_file(rows)["labels"][arguments.train : count, 0]
    areas = {name: area(load_file(path)["scores"], labels) for name, path in scores.items()}
    speeds = {name: arguments.train / statistics.median(values) for name, values in seconds.items()}
    print(
        f"batch {arguments.batch}, {arguments.threads} threads, {arguments.train:,} rows, median of {arguments.rounds}; "
        f"AUC of clicks on {arguments.test:,} others"
    )
    print(f"{'':>16} {'samples/s':>12} {'AUC':>8}")
    for name in commands:
        print(f"{name:>16} {speeds[name]:>12,.0f} {areas[name]:>8.4f}")
    if abs(areas["tributary"] - areas[peer]) > 0.002:
        sys.exit("measure.py: the areas differ by more than 0.002")
    print(
        json.dumps(
            {
                "name": "training",
                "value": round(speeds["tributary"]),
                "unit": "samples/s",
                "peers": {peer: round(speeds[peer])},
                "ratios": {peer: round(speeds["tributary"] / speeds[peer], 2)},
            }
        )
    )


if __name__ == "__main__":
    main()
