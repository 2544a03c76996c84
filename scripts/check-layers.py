#!/usr/bin/env python3
"""Holds the package to its layers.

A target may depend only on targets of a lower layer; the "// layer N" lines of Package.swift say which is which. A source
file may import only what its target depends on, and each C library has one importer.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# C module -> the only targets whose sources may import it.
IMPORTERS = {
    "CNghttp2": {"RPC"},
    "CProtobufC": {"Messages"},
    "CMessages": {"Messages"},
    "CZstd": {"Compression"},
    "CZlib": {"Compression"},
    "CXXHash": {"Hashing"},
    "CCrypto": {"Hashing"},
    "CKernels": {"Kernels"},
}


def layers():
    """Target name -> layer, from the order of the manifest."""
    found, layer = {}, None
    for line in (ROOT / "Package.swift").read_text().splitlines():
        if mark := re.search(r"// layer (\d+)", line):
            layer = int(mark.group(1))
        elif re.search(r"^\s*// tests", line):
            layer = None
        elif layer is not None:
            for name in re.findall(r'(?:library|executable|\.systemLibrary|\.target)\(\s*(?:name:\s*)?"([^"]+)"', line):
                found[name] = layer
            # The name stands on a line of its own when the declaration is long.
            if name := re.match(r'\s*"([A-Za-z-]+)",(?: \[|$)', line):
                found[name.group(1)] = layer
    return found


def main():
    manifest = json.loads(subprocess.check_output(["swift", "package", "dump-package"], cwd=ROOT))
    layer_of = layers()
    problems = []
    for target in manifest["targets"]:
        name, kind = target["name"], target["type"]
        if kind == "test":
            continue
        if name not in layer_of:
            problems.append(f'Package.swift: target "{name}" stands under no layer')
            continue
        own = {d["byName"][0] for d in target["dependencies"] if "byName" in d}
        for dependency in sorted(own):
            if layer_of.get(dependency, 99) >= max(layer_of[name], 1):
                problems.append(
                    f'Package.swift: "{name}" (layer {layer_of[name]}) depends on "{dependency}" '
                    f"(layer {layer_of.get(dependency)}); only lower layers may be imported"
                )
        problems += undeclared_imports(name, own, set(layer_of), target.get("path"))
    for problem in problems:
        print(problem)
    print(f"layers: {len(layer_of)} targets, {len(problems)} problems")
    return 1 if problems else 0


def undeclared_imports(name, declared, known, path):
    problems = []
    pattern = re.compile(r"^(?:@\w+ )*(?:public |package |internal |private |fileprivate )?import (?:\w+ )?(\w+)")
    for file in sorted((ROOT / (path or f"Sources/{name}")).rglob("*.swift")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = pattern.match(line)
            if not match or match.group(1) not in known:
                continue
            module, place = match.group(1), f"{file.relative_to(ROOT)}:{number}"
            if module not in declared:
                problems.append(f'{place}: imports {module}, which target "{name}" does not declare')
            if module in IMPORTERS and name not in IMPORTERS[module]:
                problems.append(f"{place}: only {', '.join(sorted(IMPORTERS[module]))} may import {module}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
