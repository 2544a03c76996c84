#!/usr/bin/env bash
# Samples a second of training a multi-task ranking model (DIN, DCN V2, MMoE, four heads) beside PyTorch: the same model, start,
# rows, batch and threads. Options are measure.py's (--help). The peer and the rows live in .build/peers/training.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source Benchmarks/peers.sh
install_peers training

echo "building training-bench" >&2
swift build -c release --product training-bench >&2

exec "$folder/venv/bin/python" Benchmarks/training/measure.py --folder "$folder" "$@"
