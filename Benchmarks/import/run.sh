#!/usr/bin/env bash
# Import of ten million CSV events, pinned to one core, beside pandas and polars. Options are measure.py's (--help).
# The peers and the log live in .build/peers/import, never in the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=.build/peers/import
requirements=Benchmarks/import/requirements.txt
if ! cmp -s "$requirements" "$folder/requirements.installed"; then
    echo "installing the peers: $(tr '\n' ' ' <"$requirements")" >&2
    mkdir -p "$folder"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$folder/requirements.installed"
fi

echo "building tributary" >&2
swift build -c release --product tributary >&2

exec "$folder/venv/bin/python" Benchmarks/import/measure.py --folder "$folder" "$@"
