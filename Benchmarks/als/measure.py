"""Measures an iteration of implicit-feedback ALS beside PyPI implicit's on the CPU: the same matrix, confidences (1 + like),
factors, regularisation, steps of conjugate gradients and threads, interleaved. After all iterations, the losses of both
are computed by the peer's own function; they must agree to one part in a hundred."""

import importlib.metadata
import json
import os
import statistics
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../matrix"))
from matrices import options, positive, prepare, run


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--factors", type=positive, default=64)
    parser.add_argument("--iterations", type=positive, default=10)
    arguments = parser.parse_args()
    peer = f"implicit {importlib.metadata.version('implicit')}"
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../matrix/peer.py")
    threads, sizes = str(arguments.threads), [str(arguments.factors), str(arguments.iterations)]
    figures, losses = {}, {}
    for name, path in prepare(arguments).items():
        ours, theirs = f"{arguments.folder}/als.ours", f"{arguments.folder}/als.peer"
        commands = {
            "tributary": [
                ".build/release/matrix-bench", "als", path, ours, "--threads", threads, "--factors", sizes[0],
                "--iterations", sizes[1],
            ],
            peer: [sys.executable, script, "als", path, threads, theirs, *sizes],
        }
        seconds = {program: [] for program in commands}
        for _ in range(arguments.rounds):
            for program, command in commands.items():
                seconds[program].append(run(command)["seconds"])
        losses[name] = {
            program: run([sys.executable, script, "loss", path, threads, factors])["loss"]
            for program, factors in [("tributary", ours), (peer, theirs)]
        }
        if losses[name]["tributary"] > 1.01 * losses[name][peer]:
            sys.exit(f"measure.py: {name}: the losses differ: {losses[name]}")
        figures[name] = {program: statistics.median(values) for program, values in seconds.items()}
    print(f"seconds an iteration, {arguments.factors} factors, {threads} threads, median of {arguments.rounds}; loss after all")
    print(f"{'':>16} {'tributary':>12} {peer:>16} {'ratio':>8} {'loss':>12} {'its loss':>12}")
    for name, values in figures.items():
        print(
            f"{name:>16} {values['tributary']:>10.4f} s {values[peer]:>14.4f} s {values[peer] / values['tributary']:>8.2f}"
            f" {losses[name]['tributary']:>12.6f} {losses[name][peer]:>12.6f}"
        )
    main_figure = figures["generated"]
    print(
        json.dumps(
            {
                "name": "als",
                "value": round(main_figure["tributary"], 4),
                "unit": "s",
                "peers": {peer: round(main_figure[peer], 4)},
                "ratios": {
                    f"{peer}, {name}": round(values[peer] / values["tributary"], 2) for name, values in figures.items()
                },
            }
        )
    )


if __name__ == "__main__":
    main()
