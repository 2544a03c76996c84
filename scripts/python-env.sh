#!/usr/bin/env bash
# Makes .venv with the Python packages that tests and benchmarks compare against; does nothing when it is current.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ $# -eq 0 ]] || { echo "python-env.sh: takes no arguments, got '$1'" >&2; exit 2; }

requirements=Tests/peers/requirements.txt
python=$(command -v python3) || { echo "python-env.sh: python3 is missing: run scripts/install-packages.sh --tests" >&2; exit 2; }

# The stamp is written last, so that an interrupted installation is done again.
stamp=.venv/requirements.stamp
wanted="$("$python" --version) $(sha256sum <"$requirements")"
if [[ -f $stamp && "$(<"$stamp")" == "$wanted" && -x .venv/bin/python ]]; then
    exit 0
fi

echo "installing Python packages into .venv: $(grep -v '^#' "$requirements" | tr '\n' ' ')"
rm -rf .venv
"$python" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --requirement "$requirements"
printf '%s\n' "$wanted" >"$stamp"
