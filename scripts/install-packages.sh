#!/usr/bin/env bash
# Installs the Debian packages that are missing. `--tests` adds what only the tests need.
set -euo pipefail

packages=(libnghttp2-dev libprotobuf-c-dev libzstd-dev zlib1g-dev libxxhash-dev libssl-dev pkg-config)
if [[ "${1:-}" == "--tests" ]]; then
    packages+=(protobuf-compiler protobuf-c-compiler nghttp2-client zstd curl openssl python3 python3-protobuf python3-venv)
elif [[ $# -gt 0 ]]; then
    echo "install-packages.sh: unknown option '$1'; the only one is --tests" >&2
    exit 2
fi

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ "$status" == "installed" ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

echo "installing Debian packages: ${missing[*]}"
privileged=()
if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || { echo "install-packages.sh: need root or sudo to install: ${missing[*]}" >&2; exit 2; }
    privileged=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${privileged[@]}" apt-get update -qq
"${privileged[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
