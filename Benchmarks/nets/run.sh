#!/usr/bin/env bash
# Whole nets of the ranker on one thread beside onnxruntime and PyTorch, on the same weights, taking turns.
# Options are measure.py's (--help). The peers live in .build/peers/nets, never in the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source Benchmarks/peers.sh
install_peers nets

echo "building nets-bench" >&2
swift build -c release --product nets-bench >&2
clang -O2 -o "$folder/peak" Benchmarks/nets/peak.c

exec "$folder/venv/bin/python" Benchmarks/nets/measure.py --folder "$folder" "$@"
