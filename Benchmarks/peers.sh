# Sourced by benchmarks, in the project's folder.

# install_peers NAME: the Python packages of Benchmarks/NAME/requirements.txt, in an environment of their own under $folder, which
# it sets; nothing when they are there.
install_peers() {
    folder=.build/peers/$1
    local requirements=Benchmarks/$1/requirements.txt
    if cmp -s "$requirements" "$folder/requirements.installed"; then return; fi
    echo "installing the peers: $(tr '\n' ' ' <"$requirements")" >&2
    mkdir -p "$folder"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$folder/requirements.installed"
}
