"""Mutual information between attributes of items, by its definition. Writes information.json.

Run: python3 Tests/TrainingTests/Resources/information.py   (needs numpy)
"""
import json
import pathlib

import numpy as np

random = np.random.default_rng(11)
N = 60
categories = random.integers(0, 4, N)
authors = np.where(random.random(N) < 0.7, categories * 2 + random.integers(0, 2, N), random.integers(0, 8, N))
cities = random.integers(0, 3, N)
tags = [sorted(set(random.integers(1, 6, random.integers(0, 4)).tolist()) | ({1} if c == 0 else set()))
        for c in categories]


def shares(column):
    return column if isinstance(column, list) else [[int(v)] for v in column]


def information(first, second):
    joint = np.zeros((10, 10))
    for left, right in zip(shares(first), shares(second)):
        for u in left or [0]:
            for v in right or [0]:
                joint[u, v] += 1 / (len(left or [0]) * len(right or [0]) * N)
    expected = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    mask = joint > 0
    return float((joint[mask] * np.log(joint[mask] / expected[mask])).sum())


def entropy(*columns):
    """Of single values, by counting."""
    _, counts = np.unique(np.stack(columns), axis=1, return_counts=True)
    return -(counts / N * np.log(counts / N)).sum()


columns = [categories, authors, cities, tags]
table = [[information(first, second) for second in columns] for first in columns]
for i in range(3):
    for j in range(3):
        one, other = entropy(columns[i]), entropy(columns[j])
        assert abs(table[i][j] - (one + other - entropy(columns[i], columns[j]))) < 1e-12
pathlib.Path(__file__).with_name("information.json").write_text(json.dumps(dict(
    categories=categories.tolist(), authors=authors.tolist(), cities=cities.tolist(), tags=tags,
    information=[[round(v, 9) for v in row] for row in table])) + "\n")
