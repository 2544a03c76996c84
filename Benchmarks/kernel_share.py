"""How much of a program's samples perf found inside CKernels: the functions of its object files; what is inlined into them counts
with them."""

import pathlib
import re
import subprocess

OBJECTS = pathlib.Path(__file__).parents[1] / ".build/release/CKernels.build"


def kernel_names():
    names = subprocess.run(["nm", "--defined-only", *OBJECTS.glob("*.o")], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^[0-9a-f]+ [tT] (\w+)", names, re.M))


def kernel_share(samples):
    """The share inside kernels, 0 to 1, and all symbols as (percent, name, whether it is a kernel), greatest first."""
    report = subprocess.run(
        ["perf", "report", "--input", samples, "--sort", "symbol", "--stdio"], capture_output=True, text=True).stdout
    kernels = kernel_names()
    inside, top = 0.0, []
    for line in report.splitlines():
        found = re.match(r"\s*([\d.]+)%\s+\[(.)\]\s+(.+?)\s*$", line)
        if not found:
            continue
        # Some versions of perf print more columns.
        share, name = float(found[1]), re.split(r"\s{2,}", found[3])[0]
        own = name.split(".")[0] in kernels
        inside += share if own else 0
        top.append((share, name, own))
    names = subprocess.run(
        ["swift", "demangle", "--simplified"], input="\n".join(name for _, name, _ in top), capture_output=True, text=True
    ).stdout.splitlines()
    return {"share": inside / 100, "top": [(share, name, own) for (share, _, own), name in zip(top, names)]}
