#!/usr/bin/env bash
# Search in vector indexes beside ScaNN, faiss and hnswlib, one query a call, one thread.
# Options are measure.py's (--help). Peers, sets and built indexes live in .build/peers/vectors, never in the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=.build/peers/vectors
requirements=Benchmarks/vectors/requirements.txt
if ! cmp -s "$requirements" "$folder/requirements.installed"; then
    echo "installing the peers: $(tr '\n' ' ' <"$requirements")" >&2
    mkdir -p "$folder"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$folder/requirements.installed"
fi

echo "building vectors-bench" >&2
swift build -c release --product vectors-bench >&2
exec "$folder/venv/bin/python" Benchmarks/vectors/measure.py --folder "$folder" "$@"
