#!/usr/bin/env bash
# How often top-k selection, posting-list merge, index search, the ranking model and a ranker's whole request ask for memory, with some candidates and with ten times as many.
# Fails when that differs: then something is allocated per candidate.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo "building allocation-bench" >&2
swift build -c release --product allocation-bench >&2
exec "$(swift build -c release --show-bin-path)/allocation-bench" "$@"
