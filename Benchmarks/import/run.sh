#!/usr/bin/env bash
# Import of ten million CSV events, pinned to one core, beside pandas and polars. Options are measure.py's (--help).
# The peers and the log live in .build/peers/import, never in the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source Benchmarks/peers.sh
install_peers import

echo "building tributary" >&2
swift build -c release --product tributary >&2

exec "$folder/venv/bin/python" Benchmarks/import/measure.py --folder "$folder" "$@"
