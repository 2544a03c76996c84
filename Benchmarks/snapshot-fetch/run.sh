#!/usr/bin/env bash
# Fetching a snapshot over loopback - received, verified, unpacked to a file - beside `zstd -d` of the same blobs.
# Options are measure.py's (--help).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! command -v zstd > /dev/null; then
    echo "installing the Debian package zstd" >&2
    apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends zstd >&2
fi
swift build -c release --product snapshot-fetch >&2
exec python3 Benchmarks/snapshot-fetch/measure.py "$@"
