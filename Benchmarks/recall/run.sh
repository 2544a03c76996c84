#!/usr/bin/env bash
# What one recall request with all channels costs a shard, and, where perf (Debian's linux-perf) is installed, how much of that is
# spent inside the kernels. Options are recall-bench's (--help).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo "building recall-bench" >&2
swift build -c release --product recall-bench >&2
bench="$(swift build -c release --show-bin-path)/recall-bench"
if ! command -v perf > /dev/null; then
    echo "perf is not installed: no share of kernels" >&2
    exec "$bench" "$@"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/control"
perf record --quiet --event cpu-clock --freq 2000 --delay=-1 --control="fifo:$folder/control" --output "$folder/samples" \
    "$bench" --control "$folder/control" "$@" > "$folder/output"
python3 Benchmarks/recall/report.py "$folder/output" "$folder/samples"
