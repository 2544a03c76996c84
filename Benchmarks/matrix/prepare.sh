# Sourced by the benchmarks of sparse matrices, in the project's folder: installs the peer into $folder, builds matrix-bench.
source Benchmarks/peers.sh
install_peers matrix

echo "building matrix-bench" >&2
swift build -c release --product matrix-bench >&2
