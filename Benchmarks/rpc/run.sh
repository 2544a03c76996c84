#!/usr/bin/env bash
# What one unary echo costs a server, beside gRPC C++, grpc-swift-2 and nghttpd. Options are measure.py's (--help).
# The peers are built into folders of their own, never into the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

missing=()
for package in g++ libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc pkg-config nghttp2-server \
    nghttp2-client openssl; do
    [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" == installed ]] || missing+=("$package")
done
if [[ ${#missing[@]} -gt 0 ]]; then
    echo "installing Debian packages: ${missing[*]}" >&2
    apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi
scripts/python-env.sh >&2

echo "building our server and the peers (grpc-swift-2 takes minutes the first time)" >&2
swift build -c release --product rpc-echo >&2
Benchmarks/rpc/peers/grpc-cpp/build.sh .build/peers/grpc-cpp >&2
swift build -c release --package-path Benchmarks/rpc/peers/grpc-swift >&2

exec .venv/bin/python Benchmarks/rpc/measure.py "$@"
