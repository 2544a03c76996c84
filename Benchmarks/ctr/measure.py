"""Trains the models of models.json on a data set of click prediction that is split already, from several seeds, and compares
their AUC and log loss on the test part with published ones. FOLDER has Frappe as He and Chua split it (SIGIR 2017):
frappe.train.libfm, frappe.validation.libfm, frappe.test.libfm; without the first, but with Frappe's own frappe.csv, frappe.py makes
it. The last line is JSON."""

import argparse
import json
import os
import statistics
import subprocess
import sys

# BARS (Zhu et al., SIGIR 2022), github.com/reczoo/BARS, ranking/ctr/{LR,FM,DCNv2}/*_frappe_x1: AUC, log loss; DCN V2 the mean of
# five seeds.
PUBLISHED = {"lr": (0.935584, 0.307643), "fm": (0.967108, 0.206515), "dcn": (0.983824, 0.152036)}
TITLES = {"lr": "logistic regression", "fm": "factorisation machine", "dcn": "DCN V2"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", help="where the data is")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each model")
    parser.add_argument("--models", default="lr,fm,dcn", help="which, separated by commas")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    if not os.path.exists(os.path.join(arguments.folder, "frappe.train.libfm")):
        subprocess.run([sys.executable, f"{here}/frappe.py", arguments.folder], check=True)
    command = [".build/release/ctr-bench", arguments.folder, f"{here}/models.json", "--models", arguments.models]
    command += ["--seeds", str(arguments.seeds), "--threads", str(arguments.threads)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    runs = [json.loads(line) for line in process.stdout.splitlines()]
    found = {}
    print(f"{'':>22} {'AUC':>8} {'+-':>7} {'log loss':>9} {'published':>10} {'log loss':>9}")
    for model in dict.fromkeys(run["model"] for run in runs):
        own = [run["test"] for run in runs if run["model"] == model]
        areas, losses = [run["area"] for run in own], [run["logLoss"] for run in own]
        area, loss, spread = statistics.mean(areas), statistics.mean(losses), statistics.pstdev(areas)
        found[model] = area
        theirs = PUBLISHED[model]
        print(f"{TITLES[model]:>22} {area:8.4f} {spread:7.4f} {loss:9.4f} {theirs[0]:10.4f} {theirs[1]:9.4f}")
    value = found.get("dcn")
    print(
        json.dumps(
            {
                "name": "ctr", "value": value, "unit": "AUC of DCN V2", "peers": {m: PUBLISHED[m][0] for m in found},
                "ours": found, "ratios": {m: found[m] / PUBLISHED[m][0] for m in found},
            }
        )
    )


if __name__ == "__main__":
    main()
