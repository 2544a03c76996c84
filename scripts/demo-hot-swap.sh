#!/usr/bin/env bash
# Trains a second snapshot, publishes it and commits it while loadgen runs; then tells how the swap went.
# Needs a running cluster (cluster/up.sh). Fails when a request failed or an answer mixed versions.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster/common.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/demo-hot-swap.sh [options]

  --directory DIR   the cluster's folder (default run)
  --rate N          requests per second (default 100)
  --steady N        seconds of load before training and after the swap (default 10)
  --epochs N        passes over the training log (default: the trainer's)
  --report FILE     where to write loadgen's HTML report (default DIR/hot-swap.html)
TEXT
}

directory="$root/run" rate=100 steady=10 report="" train_options=()
while [[ $# -gt 0 ]]; do
    case $1 in
        --directory) need_value "$@"; directory=$2; shift 2 ;;
        --rate) need_value "$@"; rate=$2; shift 2 ;;
        --steady) need_value "$@"; steady=$2; shift 2 ;;
        --epochs) need_number "$@"; train_options+=(--epochs "$2"); shift 2 ;;
        --report) need_value "$@"; report=$2; shift 2 ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option '$1'; see --help" ;;
    esac
done
configuration="$directory/cluster.yaml"
[[ -f "$configuration" ]] || fail "no cluster in $directory; start one with cluster/up.sh"
[[ "$steady" =~ ^[1-9][0-9]*$ ]] || fail "--steady: expected seconds, found '$steady'"
report=${report:-$directory/hot-swap.html}

processes=$("$binaries/tributary" cluster processes --config "$configuration")
address=$(awk -F'\t' '$1 == "orchestrator-0" {print $2}' <<<"$processes")
shards=$(awk -F'\t' '$1 ~ /^recall-shard-[0-9]+-0$/' <<<"$processes" | wc -l)

measurements="$directory/hot-swap.json"
"$binaries/loadgen" --address "$address" --data "$directory/data" --rate "$rate" --duration 3600 --warm-up 1 \
    --explain-ratio 0.2 --quiet --json "$measurements" --report "$report" \
    --fail-if 'errors>0' --fail-if 'mixed>0' &
load=$!
trap 'kill -INT $load 2>/dev/null || true' EXIT
measured=$((SECONDS + 1))
second() { echo $((SECONDS - measured)); }

# loadgen ends early when its options or the cluster are not as they should be; it says why.
for ((tick = 0; tick <= steady; tick++)); do
    sleep 1
    kill -0 "$load" 2>/dev/null || { wait "$load" || exit $?; fail "loadgen ended early"; }
done
training=$(second)
echo "second $training: training"
# Low priority: on one machine training takes the cores that serving leaves.
version=$(nice -n 19 "$binaries/trainer" train --data "$directory/data" --store "$directory/store" --shards "$shards" \
    --seed "$RANDOM" --evaluate-split 0 ${train_options[@]+"${train_options[@]}"} 2>"$directory/hot-swap-training.log") ||
    fail "training failed: $(tail -n 1 "$directory/hot-swap-training.log")"
swap=$(second)
echo "second $swap: committing $version"
"$binaries/tributary" snapshot commit "$version" --config "$configuration"
committed=$(second)
echo "second $committed: committed"
sleep "$steady"

kill -INT $load
status=0
wait $load || status=$?
trap - EXIT

# Medians of the seconds' p99, by phase. In the JSON, keys are sorted and a second's p99 stands on a line of its own.
awk -v training="$training" -v swap="$swap" -v committed="$committed" '
    function median(list, n,    i, j, t) {
        for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
        return n ? sprintf("%.2f ms (worst %.2f) over %d s", list[int((n + 1) / 2)], list[n], n) : "no full second"
    }
    /"timeline"/ { inside = 1 }
    /"totals"/ { inside = 0 }
    inside && /"p99" *:/ {
        split($0, part, ":"); value = part[2] + 0
        if (second < training || second > committed) calm[++c] = value
        else if (second < swap) busy[++b] = value
        else switching[++s] = value
        second++
    }
    END {
        print "p99 of a second, median: steady " median(calm, c)
        print "                   while training " median(busy, b)
        print "               while the swap ran " median(switching, s)
    }' "$measurements"
echo "report: $report"
[[ $status -eq 0 ]] && echo "no request failed, no answer mixed versions"
exit $status
