"""Prints recall-bench's output with, in its last line, the share of the samples that perf found inside CKernels.

usage: kernel_share.py OUTPUT SYMBOLS   (recall-bench's output; perf report --sort symbol)

Kernels are the functions that Sources/CKernels defines; what is inlined into them counts with them.
"""
import json
import pathlib
import re
import subprocess
import sys

output, symbols = sys.argv[1:]
sources = pathlib.Path(__file__).parents[2] / "Sources/CKernels"
kernels = {
    name
    for path in [*sources.glob("*.c"), *sources.glob("*.h")]
    for name in re.findall(r"^(?:static |inline |TARGET\w* |ck_\w+ |void |float |int\w* |uint\w* |size_t )[^;=]*?\b(\w+)\(", path.read_text(), re.M)
}
inside, top = 0.0, []
for line in open(symbols):
    found = re.match(r"\s*([\d.]+)%\s+\[(.)\]\s+(.+?)\s*$", line)
    if not found:
        continue
    # Some versions of perf print more columns.
    share, name = float(found[1]), re.split(r"\s{2,}", found[3])[0]
    own = name.startswith("ck_") or name.split(".")[0] in kernels
    inside += share if own else 0
    top.append((share, name, own))

*lines, last = open(output).read().splitlines()
print(*lines, sep="\n")
print(f"inside kernels: {inside:.1f} % of the time of all channels; the rest mostly in")
names = subprocess.run(
    ["swift", "demangle", "--simplified"], input="\n".join(name for _, name, _ in top), capture_output=True, text=True
).stdout.splitlines()
for (share, _, own), name in list(zip(top, names))[:12]:
    print(f"  {share:5.1f} %  {'kernel  ' if own else ''}{name[:110]}")
print(json.dumps(json.loads(last) | {"kernel_share": round(inside / 100, 4)}))
