"""Writes python.safetensors with the reference library, for SafetensorsGoldenTests.swift.

Run: python3 write_golden.py   (needs: pip install numpy safetensors)
"""

import os

import numpy as np
from safetensors.numpy import save_file

tensors = {
    "floats": np.array([[0.5, -1.25, 3.0], [1e-30, -0.0, 65504.0]], dtype=np.float32),
    "keys": np.array([0, 1, 2**64 - 1, 1234567890123456789], dtype=np.uint64),
    "signed": np.array([-(2**63), -1, 2**63 - 1], dtype=np.int64),
    "words": np.array([0, 65535, 258], dtype=np.uint16),
    "small": np.array([-128, 127, 0, 5, -5], dtype=np.int8),
    "counts": np.arange(7, dtype=np.uint32),
    "doubles": np.array([2.0**-1074, 1.0 / 3.0], dtype=np.float64),
    "scalar": np.array(7, dtype=np.int32),
    "none": np.zeros((0, 4), dtype=np.float32),
}
metadata = {"made by": "safetensors", "text": "caf\u00e9 \"quoted\" \\ \U0001f600\n"}
save_file(tensors, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python.safetensors"), metadata=metadata)
