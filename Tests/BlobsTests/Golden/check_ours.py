"""Opens a file that SafetensorsWriter wrote with the reference library and checks every value.

Run: python3 check_ours.py FILE   (needs: pip install numpy safetensors)
"""

import sys

import numpy as np
from safetensors import safe_open

expected = {
    "vectors": np.array([[0.5, -1.25, 3.0], [2.0, 0.125, -8.0]], dtype=np.float32),
    "item_key": np.array([5, 2**64 - 1], dtype=np.uint64),
    "times": np.array([-1, 1700000000000, 3], dtype=np.int64),
    "codes": np.array([7, 255, 0], dtype=np.uint8),
    "halves": np.array([1.0, -2.0], dtype=np.float16),
    "empty": np.zeros((0, 3), dtype=np.float32),
    "title.bytes": np.frombuffer("Caf\u00e9Heat".encode(), dtype=np.uint8),
    "title.offsets": np.array([0, 5, 9], dtype=np.uint64),
}
with safe_open(sys.argv[1], framework="numpy") as file:
    assert set(file.keys()) == set(expected), sorted(file.keys())
    assert file.metadata() == {"model": "two-tower", "note": 'tab\t"quote" \\ \u00e9 \U0001f600'}, file.metadata()
    for name, values in expected.items():
        found = file.get_tensor(name)
        assert found.dtype == values.dtype and found.shape == values.shape, (name, found.dtype, found.shape)
        assert np.array_equal(found, values), (name, found)
print("all", len(expected), "tensors agree")
