#!/usr/bin/env bash
# Tells which processes of the cluster run, where, how healthy they are, and which snapshot they serve.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

directory="$root/run"
while [[ $# -gt 0 ]]; do
    case $1 in
        --directory) need_value "$@"; directory=$2; shift 2 ;;
        --help | -h) echo "Usage: cluster/status.sh [--directory DIR]"; exit 0 ;;
        *) fail "unknown option '$1'" ;;
    esac
done
[[ -f "$directory/cluster.yaml" ]] || fail "no cluster in $directory; cluster/up.sh makes one"

for file in "$directory"/pids/*; do
    [[ -f "$file" ]] || continue
    read -r pid _ <"$file"
    if is_running "$file"; then echo "pid $pid runs ${file##*/}"; else echo "pid $pid of ${file##*/} is gone"; fi
done
exec "$binaries/tributary" status --config "$directory/cluster.yaml"
