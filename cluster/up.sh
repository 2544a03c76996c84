#!/usr/bin/env bash
# Brings up a cluster on this machine: packages, build, data, training, snapshot, processes, first recommendations.
# Whatever is done already is not done again, and a cluster.yaml that was edited is kept.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
Usage: cluster/up.sh [options]

  --data SOURCE      generated (default), movielens-100k:DIR, movielens-latest:DIR, kuairand:DIR,
                     gowalla:DIR, sequences:DIR or csv:DIR
  --shards N         recall shards (default 4)
  --replicas N       replicas of each recall shard (default 1)
  --port-base N      first port of the cluster (default 7100)
  --directory DIR    where data, snapshots, logs and pids live (default run)
  --epochs N         passes over the training log (default: the trainer's)
  --users N          users of the generated world (default: the generator's); likewise
  --items N, --impressions N
  --no-build         use the executables as they are
  --help

DIR/cluster.yaml may be edited: a second run with the same options keeps it and restarts the processes with it.
With other options it is made anew, and the edited file is kept beside it.
TEXT
}

executables=(tributary trainer snapshot-server recall-shard ranker orchestrator loadgen)
data=generated shards=4 replicas=1 port_base=7100 directory="$root/run" build=yes
generate_options=() train_options=()
while [[ $# -gt 0 ]]; do
    case $1 in
        --data) need_value "$@"; data=$2; shift 2 ;;
        --shards) need_value "$@"; shards=$2; shift 2 ;;
        --replicas) need_value "$@"; replicas=$2; shift 2 ;;
        --port-base) need_value "$@"; port_base=$2; shift 2 ;;
        --directory) need_value "$@"; directory=$2; shift 2 ;;
        --users | --items | --impressions) need_number "$@"; generate_options+=("$1" "$2"); shift 2 ;;
        --epochs) need_number "$@"; train_options+=("$1" "$2"); shift 2 ;;
        --no-build) build=no; shift ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option '$1'; see --help" ;;
    esac
done
[[ "$shards" =~ ^[1-9][0-9]{0,2}$ && "$shards" -le 256 ]] || fail "--shards: expected 1 to 256, found '$shards'"
[[ "$replicas" =~ ^[1-9][0-9]?$ ]] || fail "--replicas: expected 1 to 99, found '$replicas'"
[[ "$port_base" =~ ^[1-9][0-9]{3,4}$ && "$port_base" -le 60000 ]] || fail "--port-base: expected 1000 to 60000, found '$port_base'"
if [[ "$data" != generated ]]; then
    [[ "$data" =~ ^(movielens-100k|movielens-latest|kuairand|gowalla|sequences|csv):(.+)$ ]] || fail "--data: unknown source '$data'; see --help"
    [[ -d "${BASH_REMATCH[2]}" ]] || fail "--data: no directory '${BASH_REMATCH[2]}'"
    [[ ${#generate_options[@]} -eq 0 ]] || fail "${generate_options[0]} is for generated data only"
    data="${BASH_REMATCH[1]}:$(cd "${BASH_REMATCH[2]}" && pwd)"
fi
mkdir -p "$directory" 2>/dev/null || fail "--directory: cannot make '$directory'"
directory=$(cd "$directory" && pwd)
cd "$root"

began=$SECONDS
step() { printf '\n[%3ds] %s\n' $((SECONDS - began)) "$*"; }

if [[ $build == yes ]]; then
    step "Debian packages"
    scripts/install-packages.sh
    step "building (the first build compiles SwiftNIO and BoringSSL too and takes some minutes on two cores)"
    for executable in "${executables[@]}"; do
        swift build -c release --product "$executable"
    done
fi
for executable in "${executables[@]}"; do
    [[ -x "$binaries/$executable" ]] || fail "$binaries/$executable is missing; run without --no-build"
done

# Each step leaves a note of what it was made from; a step whose note still says the same is not repeated.
done_already() { [[ -f "$directory/$1.made-from" && "$(cat "$directory/$1.made-from")" == "$2" ]]; }
note_done() { printf '%s' "$2" >"$directory/$1.made-from"; }

# The number is that of the data set's format: data of an older one are made again.
data_recipe="$data ${generate_options[*]-} format=2"
if done_already data "$data_recipe"; then
    step "data: $directory/data is up to date"
else
    step "data: $data"
    rm -rf "$directory/data.new"
    if [[ $data == generated ]]; then
        "$binaries/tributary" generate --output "$directory/data.new" ${generate_options[@]+"${generate_options[@]}"}
    else
        "$binaries/tributary" import "$data" --output "$directory/data.new"
    fi
    rm -rf "$directory/data"
    mv "$directory/data.new" "$directory/data"
    note_done data "$data_recipe"
fi

# A description that was edited is kept while it is asked for by the same options. With others it stays beside the new one.
configuration="$directory/cluster.yaml"
generated="$directory/cluster.yaml.generated"
configuration_recipe="--shards $shards --replicas $replicas --port-base $port_base --directory $directory"
"$binaries/tributary" cluster configure --shards "$shards" --replicas "$replicas" --port-base "$port_base" \
    --directory "$directory" >"$generated.new"
if [[ ! -f "$configuration" ]] || cmp -s "$configuration" "$generated"; then
    cp "$generated.new" "$configuration"
elif done_already configuration "$configuration_recipe"; then
    step "keeping $configuration, which was edited; remove it to have it made anew"
elif ! cmp -s "$configuration" "$generated.new"; then
    edited="$configuration.edited" copy=1
    while [[ -e "$edited" ]]; do edited="$configuration.edited-$((++copy))"; done
    mv "$configuration" "$edited"
    cp "$generated.new" "$configuration"
    step "$configuration is made anew for $configuration_recipe; the edited one is kept as $edited"
fi
mv "$generated.new" "$generated"
note_done configuration "$configuration_recipe"

processes=$("$binaries/tributary" cluster processes --config "$configuration")
# Processes read the description when they start.
if [[ -d "$directory/pids" ]] && ! done_already processes "$(cat "$configuration")"; then
    step "the cluster's description changed: stopping the old processes"
    "$root/cluster/down.sh" --directory "$directory"
fi
# Whoever answers on a port of ours would be taken for our process, and be told to commit our snapshot.
while IFS=$'\t' read -r name address _; do
    is_running "$directory/pids/$name" || ! is_listening "$address" ||
        fail "$address, which is to be that of $name, is in use by another process; see --port-base"
done <<<"$processes"

train_recipe="$data_recipe shards=$shards ${train_options[*]-}"
if done_already snapshot "$train_recipe"; then
    step "snapshot: trained already"
else
    step "training"
    "$binaries/trainer" train --data "$directory/data" --store "$directory/store" --shards "$shards" \
        ${train_options[@]+"${train_options[@]}"}
    note_done snapshot "$train_recipe"
    rm -f "$directory/commit.made-from"
fi

step "processes"
note_done processes "$(cat "$configuration")"
while IFS=$'\t' read -r name address command; do
    # "ROLE --config FILE ARGUMENTS": the arguments are one word per space, the file may have spaces in its path.
    role=${command%% *}
    start "$name" "$binaries/$role" --config "$configuration" ${command#"$role --config $configuration"}
done <<<"$processes"

if ! done_already commit "$train_recipe"; then
    step "committing the snapshot"
    # A process that was just started listens a moment later. One that does not is the commit's to report.
    for _ in {1..100}; do
        if "$binaries/tributary" snapshot list --config "$configuration" >/dev/null 2>&1; then break; fi
        sleep 0.1
    done
    while IFS=$'\t' read -r name _; do expect_running "$name"; done <<<"$processes"
    "$binaries/tributary" snapshot commit --config "$configuration" latest
    note_done commit "$train_recipe"
fi
status=0
"$binaries/tributary" status --config "$configuration" --wait 60 || status=$?
while IFS=$'\t' read -r name _; do expect_running "$name"; done <<<"$processes"
[[ $status -eq 0 ]] || exit "$status"

user=$("$binaries/tributary" cluster sample-user --data "$directory/data")
address=$(awk -F'\t' '$1 == "orchestrator-0" {print $2}' <<<"$processes")
step "recommendations: .build/release/tributary recommend --address $address --user $user"
"$binaries/tributary" recommend --address "$address" --user "$user"
printf '\nup after %d s\n' $((SECONDS - began))
