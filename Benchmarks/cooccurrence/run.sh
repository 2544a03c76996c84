#!/usr/bin/env bash
# ItemCF's lists of similar items beside PyPI implicit's, from the same matrix.
# Options are measure.py's (--help). The peer and the matrices live in .build/peers/matrix, never in the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source Benchmarks/matrix/prepare.sh

exec "$folder/venv/bin/python" Benchmarks/cooccurrence/measure.py --folder "$folder" "$@"
