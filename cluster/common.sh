# Shared by up.sh, down.sh and status.sh: where things are, and which processes are ours.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binaries=${TRIBUTARY_BINARIES:-$root/.build/release}

fail() {
    echo "${0##*/}: $*" >&2
    exit 2
}

need_value() {
    [[ $# -ge 2 && -n "$2" && "$2" != --* ]] || fail "$1 needs a value"
}

need_number() {
    need_value "$@"
    [[ "$2" =~ ^[1-9][0-9]*$ ]] || fail "$1: expected a whole number above 0, found '$2'"
}

# When the process began, in clock ticks since boot: with the pid, it names one process for good.
start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) }
    set -- $stat
    [[ "$1" != Z ]] || return 1
    echo "${20}"
}

# is_running FILE: whether the process noted in a pid file ("pid start-time") still runs.
is_running() {
    local pid started
    [[ -f "$1" ]] && read -r pid started <"$1" || return 1
    [[ -n "$pid" && "$(start_time "$pid")" == "$started" ]]
}

# is_listening HOST:PORT: whether some process accepts connections there.
is_listening() {
    (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null
}

# expect_running NAME: fails with the last line of its log when a process that was started has ended. Uses $directory.
expect_running() {
    is_running "$directory/pids/$1" || fail "$1 ended: $(tail -n 1 "$directory/logs/$1.log" 2>/dev/null)"
}

# start NAME COMMAND...: starts a process unless it runs already. Uses $directory.
start() {
    local name=$1 pid_file="$directory/pids/$1"
    shift
    if is_running "$pid_file"; then return 0; fi
    mkdir -p "$directory/pids" "$directory/logs"
    (
        # What the caller has open is not the process's business: a pipe held open would keep its reader waiting.
        for file in /proc/"$BASHPID"/fd/*; do
            [[ ${file##*/} -le 2 ]] || eval "exec ${file##*/}>&-"
        done
        exec setsid "$@"
    ) >>"$directory/logs/$name.log" 2>&1 </dev/null &
    local pid=$!
    echo "$pid $(start_time "$pid")" >"$pid_file"
}
