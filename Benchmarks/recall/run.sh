#!/usr/bin/env bash
# What one recall request with all channels costs a shard. Options are recall-bench's (--help).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo "building recall-bench" >&2
swift build -c release --product recall-bench >&2
exec "$(swift build -c release --show-bin-path)/recall-bench" "$@"
