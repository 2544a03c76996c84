#!/usr/bin/env bash
# The project's one gate: packages, format, layers, generated code, build with warnings as errors, every test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() { printf '\n== %s\n' "$*"; }

step "packages"
scripts/install-packages.sh --tests
scripts/python-env.sh

step "format"
swift format lint --strict --recursive Package.swift Sources Tests

step "layers"
python3 scripts/check-layers.py

step "generated code"
scripts/check-generated.sh

step "build"
swift build -c release --build-tests

# Calls have deadlines, and wait for a thread: what computes for half a minute is tested after them, not beside them.
calling='RPCTests|MessagesTests|SnapshotsTests|OrchestrationTests|ServiceTests|LoadgenTests'
step "tests of the parts that call each other"
swift test -c release --skip-build --filter "$calling" --skip PeerTests

step "tests of the parts that compute"
swift test -c release --skip-build --skip "$calling|PeerTests|ClusterTests"

# Real peers and real clusters want the machine to themselves.
step "tests against other people's gRPC, and of whole clusters"
swift test -c release --skip-build --filter 'PeerTests|ClusterTests'
