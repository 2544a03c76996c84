#!/usr/bin/env bash
# Samples a second of training a multi-task ranking model (DIN, DCN V2, MMoE, four heads) beside PyTorch: the same model, start,
# rows, batch and threads. Options are measure.py's (--help). The peer and the rows live in .build/peers/training.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=.build/peers/training
requirements=Benchmarks/training/requirements.txt
if ! cmp -s "$requirements" "$folder/requirements.installed"; then
    echo "installing the peer: $(tr '\n' ' ' <"$requirements")" >&2
    mkdir -p "$folder"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$folder/requirements.installed"
fi

echo "building training-bench" >&2
swift build -c release --product training-bench >&2

exec "$folder/venv/bin/python" Benchmarks/training/measure.py --folder "$folder" "$@"
