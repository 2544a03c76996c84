#!/usr/bin/env bash
# build.sh DIRECTORY: builds the gRPC C++ peer into DIRECTORY/echo-grpc-cpp.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../../.." && pwd)
out=$1
mkdir -p "$out"
[[ "$out/echo-grpc-cpp" -nt "$here/server.cc" && "$out/echo-grpc-cpp" -nt "$root/Protos/tributary/test/v1/echo.proto" ]] && exit 0
protoc -I "$root/Protos" --cpp_out="$out" --grpc_out="$out" --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" \
    tributary/test/v1/echo.proto
g++ -std=c++17 -O2 -DNDEBUG -I "$out" -o "$out/echo-grpc-cpp" "$here/server.cc" \
    "$out"/tributary/test/v1/echo.pb.cc "$out"/tributary/test/v1/echo.grpc.pb.cc \
    $(pkg-config --cflags --libs grpc++ protobuf)
