#!/usr/bin/env bash
# bench.sh NAME [OPTIONS]: runs Benchmarks/NAME/run.sh, which measures one figure beside its peers, prints a table and, as
# its last line, one JSON object: {"name": ..., "value": ..., "unit": ..., "peers": {...}, "ratios": {...}}.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

names=()
for script in Benchmarks/*/run.sh; do
    names+=("$(basename "$(dirname "$script")")")
done

if [[ $# -eq 0 || ! -x "Benchmarks/$1/run.sh" || "$1" == */* ]]; then
    echo "bench.sh: ${1:+there is no benchmark '$1'; }usage: scripts/bench.sh NAME, one of: ${names[*]}" >&2
    exit 2
fi
name=$1
shift
exec "Benchmarks/$name/run.sh" "$@"
