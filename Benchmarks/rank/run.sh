#!/usr/bin/env bash
# The Rank call: 2,000 candidates pre-ranked, 500 ranked, over loopback; and, where perf (Debian's linux-perf) is installed, how
# much of the ranker's processor time is spent inside the kernels. Options are measure.py's (--help).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo "building rank-bench" >&2
swift build -c release --product rank-bench >&2
exec python3 Benchmarks/rank/measure.py --tool "$(swift build -c release --show-bin-path)/rank-bench" "$@"
