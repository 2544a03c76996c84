# Sourced by the benchmarks of sparse matrices, in the project's folder: installs the peer into $folder, builds matrix-bench.
folder=.build/peers/matrix
requirements=Benchmarks/matrix/requirements.txt
if ! cmp -s "$requirements" "$folder/requirements.installed"; then
    echo "installing the peers: $(tr '\n' ' ' <"$requirements")" >&2
    mkdir -p "$folder"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$folder/requirements.installed"
fi

echo "building matrix-bench" >&2
swift build -c release --product matrix-bench >&2
