#!/usr/bin/env bash
# Fails when the committed message code is not what Protos/ generates.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$root/scripts/generate-messages.sh" --into "$fresh"
status=0
for part in Sources/CMessages/generated Sources/CMessages/include/generated Sources/CMessages/include/CMessages.h \
    Sources/Messages/Generated; do
    diff -ru "$root/$part" "$fresh/$part" || status=1
done
[[ $status -eq 0 ]] || echo "generated code is not current: run scripts/generate-messages.sh" >&2
exit $status
