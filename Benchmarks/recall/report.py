"""Prints recall-bench's output with, in its last line, the share of the samples that perf found inside CKernels.

usage: report.py OUTPUT SAMPLES   (recall-bench's output; perf's samples)
"""
import json
import pathlib
import sys

sys.path[0] = str(pathlib.Path(__file__).parents[1])

from kernel_share import kernel_share  # noqa: E402

output, samples = sys.argv[1:]
kernels = kernel_share(samples)
*lines, last = open(output).read().splitlines()
print(*lines, sep="\n")
print(f"inside kernels: {100 * kernels['share']:.1f} % of the time of all channels; the rest mostly in")
for share, name, own in kernels["top"][:12]:
    print(f"  {share:5.1f} %  {'kernel  ' if own else ''}{name[:110]}")
print(json.dumps(json.loads(last) | {"kernel_share": round(kernels["share"], 4)}))
