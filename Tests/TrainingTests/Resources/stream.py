"""The moving average of gaps between an item's batches (Yi et al., RecSys 2019, algorithm 2), by a dictionary.

Run: python3 Tests/TrainingTests/Resources/stream.py   (needs numpy); writes stream.json beside this file.
"""
import json
import pathlib

import numpy as np

random = np.random.default_rng(7)
RATE, INITIAL, ITEMS = 0.1, 25.0, 40
shares = 1 / np.arange(1, ITEMS + 1)
batches = [random.choice(ITEMS, size=8, p=shares / shares.sum()).tolist() for _ in range(300)]
last, gaps = dict.fromkeys(range(ITEMS), 0), dict.fromkeys(range(ITEMS), INITIAL)
for step, batch in enumerate(batches, 1):
    for item in set(batch):
        gaps[item] = (1 - RATE) * gaps[item] + RATE * (step - last[item])
        last[item] = step
path = pathlib.Path(__file__).with_name("stream.json")
path.write_text(json.dumps(dict(
    rate=RATE, initial=INITIAL, batches=batches, gaps=[round(gaps[item], 6) for item in range(ITEMS)])) + "\n")
