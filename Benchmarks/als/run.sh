#!/usr/bin/env bash
# An iteration of ALS (64 factors, 3 steps of conjugate gradients) beside PyPI implicit's, at equal loss.
# Options are measure.py's (--help). The peer and the matrices live in .build/peers/matrix, never in the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source Benchmarks/matrix/prepare.sh

exec "$folder/venv/bin/python" Benchmarks/als/measure.py --folder "$folder" "$@"
