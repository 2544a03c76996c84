#!/usr/bin/env bash
# Stops the processes that up.sh started, and no others.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

directory="$root/run"
while [[ $# -gt 0 ]]; do
    case $1 in
        --directory) need_value "$@"; directory=$2; shift 2 ;;
        --help | -h) echo "Usage: cluster/down.sh [--directory DIR]"; exit 0 ;;
        *) fail "unknown option '$1'" ;;
    esac
done

[[ -d "$directory" ]] || fail "no cluster in $directory"
running=()
for file in "$directory"/pids/*; do
    [[ -f "$file" ]] || continue
    if is_running "$file"; then
        read -r pid _ <"$file"
        kill -TERM "$pid" 2>/dev/null || true
        running+=("$file")
    else
        rm -f "$file"
    fi
done

# A process drains its requests before it leaves; 15 seconds is more than any deadline.
for ((tick = 0; tick < 150; tick++)); do
    left=()
    for file in ${running[@]+"${running[@]}"}; do
        if is_running "$file"; then left+=("$file"); else echo "stopped ${file##*/}"; rm -f "$file"; fi
    done
    running=(${left[@]+"${left[@]}"})
    [[ ${#running[@]} -eq 0 ]] && exit 0
    sleep 0.1
done
for file in "${running[@]}"; do
    read -r pid _ <"$file"
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$file"
    echo "killed ${file##*/}: it did not stop within 15 s"
done
