"""Measures ItemCF's lists of similar items beside PyPI implicit's CosineRecommender: the same matrix, as many neighbours, as
many threads, interleaved. The seconds are of the fit alone, the matrix being in memory; lists must agree."""

import importlib.metadata
import json
import os
import statistics
import sys

import numpy
from safetensors.numpy import load_file

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../matrix"))
from matrices import options, positive, prepare, run


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--neighbours", type=positive, default=10, help="length of an item's list")
    arguments = parser.parse_args()
    peer = f"implicit {importlib.metadata.version('implicit')}"
    here = os.path.dirname(os.path.abspath(__file__))
    sizes = [str(arguments.threads), str(arguments.neighbours)]
    figures = {}
    for name, path in prepare(arguments).items():
        ours, theirs = f"{arguments.folder}/itemcf.ours", f"{arguments.folder}/itemcf.peer"
        commands = {
            "tributary": [
                ".build/release/matrix-bench", "itemcf", path, ours, "--threads", sizes[0], "--neighbours", sizes[1],
            ],
            peer: [sys.executable, f"{here}/../matrix/peer.py", "itemcf", path, sizes[0], theirs, sizes[1]],
        }
        seconds = {program: [] for program in commands}
        for _ in range(arguments.rounds):
            for program, command in commands.items():
                seconds[program].append(run(command)["seconds"])
        found, expected = load_file(ours)["similarity"], load_file(theirs)["similarity"]
        difference = float(numpy.abs(found - expected).max())
        if difference > 1e-5:
            sys.exit(f"measure.py: {name}: lists differ by {difference}")
        figures[name] = {program: statistics.median(values) for program, values in seconds.items()}
    print(f"{'':>16} {'tributary':>12} {peer:>16} {'ratio':>8}   ({arguments.threads} threads, median of {arguments.rounds})")
    for name, values in figures.items():
        print(f"{name:>16} {values['tributary']:>10.3f} s {values[peer]:>14.3f} s {values[peer] / values['tributary']:>8.2f}")
    main_figure = figures["generated"]
    print(
        json.dumps(
            {
                "name": "cooccurrence",
                "value": round(main_figure["tributary"], 3),
                "unit": "s",
                "peers": {peer: round(main_figure[peer], 3)},
                "ratios": {
                    f"{peer}, {name}": round(values[peer] / values["tributary"], 2) for name, values in figures.items()
                },
            }
        )
    )


if __name__ == "__main__":
    main()
