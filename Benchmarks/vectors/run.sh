#!/usr/bin/env bash
# Search in vector indexes beside ScaNN, faiss and hnswlib, one query a call, one thread.
# Options are measure.py's (--help). Peers, sets and built indexes live in .build/peers/vectors, never in the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source Benchmarks/peers.sh
install_peers vectors

echo "building vectors-bench" >&2
swift build -c release --product vectors-bench >&2
exec "$folder/venv/bin/python" Benchmarks/vectors/measure.py --folder "$folder" "$@"
