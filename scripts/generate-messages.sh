#!/usr/bin/env bash
# Generates the C and Swift message code from Protos/. The result is committed; scripts/check-generated.sh compares.
#
# usage: scripts/generate-messages.sh [--into DIRECTORY]     (default: the package itself)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
into=$root
if [[ "${1:-}" == "--into" && $# -eq 2 ]]; then
    into=$2
elif [[ $# -ne 0 ]]; then
    echo "generate-messages.sh: unknown arguments '$*'; usage: generate-messages.sh [--into DIRECTORY]" >&2
    exit 2
fi

# Headers are included from where they are kept; protoc-c's trailing blanks go.
tidy() { sed -E -e 's/[[:space:]]+$//' -e 's|^#include "(.*\.pb-c\.h)"|#include "generated/\1"|' "$1"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root/Protos"
mapfile -t protos < <(find . -name '*.proto' | sed 's|^\./||' | LC_ALL=C sort)

protoc --include_imports --include_source_info --descriptor_set_out="$work/descriptors.pb" "${protos[@]}"
mkdir -p "$work/swift" "$work/c"
# Debian's own Python: the one that python3-protobuf belongs to.
/usr/bin/python3 "$root/scripts/generate_swift_messages.py" "$work/descriptors.pb" "$work/swift" "$work/for-c.pb"
protoc --descriptor_set_in="$work/for-c.pb" --c_out="$work/c" "${protos[@]}"

c=$into/Sources/CMessages swift=$into/Sources/Messages/Generated
mkdir -p "$c/include"
rm -rf "${c:?}/generated" "${c:?}/include/generated" "${swift:?}"
mkdir -p "$c/generated" "$c/include/generated" "$swift"
for proto in "${protos[@]}"; do
    stem=${proto%.proto}
    mkdir -p "$c/include/generated/$(dirname "$stem")"
    tidy "$work/c/$stem.pb-c.h" > "$c/include/generated/$stem.pb-c.h"
    tidy "$work/c/$stem.pb-c.c" > "$c/generated/$(tr / - <<< "$stem").pb-c.c"
done
{
    echo "// Every generated message; made by scripts/generate-messages.sh."
    for proto in "${protos[@]}"; do echo "#include \"generated/${proto%.proto}.pb-c.h\""; done
} > "$c/include/CMessages.h"
cp "$work/swift"/*.swift "$swift/"
swift format --in-place --configuration "$root/.swift-format" "$swift"/*.swift
