#!/usr/bin/env bash
# run.sh FOLDER [OPTIONS]: AUC and log loss of logistic regression, a factorisation machine and DCN V2 on public data of click
# prediction, beside published figures. Options are measure.py's (--help).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo "building ctr-bench" >&2
swift build -c release --product ctr-bench >&2

exec python3 Benchmarks/ctr/measure.py "$@"
