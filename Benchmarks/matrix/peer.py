"""PyPI implicit on a matrix of likes; prints its seconds as JSON and writes what it found, to be compared.

    peer.py itemcf MATRIX THREADS OUTPUT NEIGHBOURS
    peer.py als MATRIX THREADS OUTPUT FACTORS ITERATIONS
    peer.py loss MATRIX THREADS FACTORS_FILE
"""

import json
import statistics
import sys
import time

import numpy
from matrices import read
from safetensors.numpy import load_file, save_file

ALPHA, REGULARIZATION = 1.0, 0.01


def confidences(path: str):
    matrix = read(path)
    matrix.data = 1 + ALPHA * matrix.data
    return matrix


def itemcf(path: str, threads: int, output: str, neighbours: int) -> dict:
    from implicit.nearest_neighbours import CosineRecommender

    matrix = read(path)
    # An item is the nearest to itself.
    model = CosineRecommender(K=neighbours + 1, num_threads=threads)
    start = time.perf_counter()
    model.fit(matrix, show_progress=False)
    seconds = time.perf_counter() - start
    similarity = model.similarity.tolil()
    similarity.setdiag(0)
    best = numpy.zeros((matrix.shape[1], neighbours), numpy.float32)
    for item, values in enumerate(similarity.data):
        own = sorted((value for value in values if value > 0), reverse=True)[:neighbours]
        best[item, : len(own)] = own
    save_file({"similarity": best}, output)
    return {"seconds": seconds}


def als(path: str, threads: int, output: str, factors: int, iterations: int) -> dict:
    from implicit.cpu.als import AlternatingLeastSquares

    seconds = []
    model = AlternatingLeastSquares(
        factors=factors, regularization=REGULARIZATION, iterations=iterations, num_threads=threads, random_state=1
    )
    model.fit(confidences(path), show_progress=False, callback=lambda _, elapsed, loss: seconds.append(elapsed))
    save_file({"users": model.user_factors, "items": model.item_factors}, output)
    return {"seconds": statistics.median(seconds)}


def loss(path: str, threads: int, factors: str) -> dict:
    from implicit.cpu import _als

    found = load_file(factors)
    return {
        "loss": _als.calculate_loss(
            confidences(path), found["users"], found["items"], REGULARIZATION, num_threads=threads
        )
    }


if __name__ == "__main__":
    command, path, threads, output, *sizes = sys.argv[1:]
    print(json.dumps({"itemcf": itemcf, "als": als, "loss": loss}[command](path, int(threads), output, *map(int, sizes))))
