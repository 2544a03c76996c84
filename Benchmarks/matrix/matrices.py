"""Sparse matrices of likes for the benchmarks: offsets U64 [users + 1], columns U32 and values U8 (1...4) [entries] as
safetensors, read by matrix-bench and, as float32 rows of SciPy, by the peer. Also what the measuring scripts share."""

import argparse
import json
import os
import subprocess
import sys

import numpy
import scipy.sparse
from safetensors.numpy import load_file, save_file


def generated(users: int = 50_000, items: int = 20_000, entries: int = 5_000_000) -> scipy.sparse.csr_matrix:
    """Popularity by Zipf's law with exponent 0.8, activity log-normal; about `entries` distinct pairs."""
    random = numpy.random.default_rng(3)
    activity = random.lognormal(0, 1, users)
    popularity = random.permutation(1 / numpy.arange(1, items + 1) ** 0.8)
    cumulative = numpy.cumsum(popularity) / popularity.sum()
    # Repeated pairs fall together: draw more than are wanted.
    counts = numpy.minimum(random.poisson(1.25 * entries * activity / activity.sum()), items // 4)
    rows = numpy.repeat(numpy.arange(users), counts)
    columns = numpy.searchsorted(cumulative, random.random(len(rows)))
    pairs = numpy.unique(rows * items + columns)
    pairs = numpy.sort(random.choice(pairs, min(entries, len(pairs)), replace=False))
    values = random.choice([1, 2, 3, 4], len(pairs), p=[0.7, 0.2, 0.07, 0.03])
    return scipy.sparse.csr_matrix((values, (pairs // items, pairs % items)), (users, items))


def movielens(directory: str) -> scipy.sparse.csr_matrix:
    """MovieLens 100K as the import reads it: a rating is a click, from 4 stars on also a like."""
    rows = numpy.loadtxt(os.path.join(directory, "u.data"), dtype=numpy.int64)
    return scipy.sparse.csr_matrix((1 + (rows[:, 2] >= 4), (rows[:, 0] - 1, rows[:, 1] - 1)))


def write(matrix: scipy.sparse.csr_matrix, path: str) -> None:
    matrix.sort_indices()
    save_file(
        {
            "offsets": matrix.indptr.astype(numpy.uint64),
            "columns": matrix.indices.astype(numpy.uint32),
            "values": matrix.data.astype(numpy.uint8),
            "items": numpy.array([matrix.shape[1]], numpy.uint64),
        },
        path,
    )


def read(path: str) -> scipy.sparse.csr_matrix:
    file = load_file(path)
    offsets, items = file["offsets"].astype(numpy.int64), int(file["items"][0])
    return scipy.sparse.csr_matrix(
        (file["values"].astype(numpy.float32), file["columns"].astype(numpy.int32), offsets), (len(offsets) - 1, items)
    )


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {value}")
    return value


def options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=positive, default=5, help="measurements of each program; the median counts")
    parser.add_argument("--threads", type=positive, default=os.cpu_count(), help="threads of each program")
    parser.add_argument("--folder", default=".build/peers/matrix", help="where matrices and results go")
    parser.add_argument("--movielens", help="folder of MovieLens 100K; left out without it")
    return parser


def prepare(arguments: argparse.Namespace) -> dict[str, str]:
    """Files of the matrices by name, made when they are not there."""
    paths = {"generated": f"{arguments.folder}/generated.safetensors"}
    if not os.path.exists(paths["generated"]):
        print("making a matrix of 5,000,000 entries", file=sys.stderr)
        write(generated(), paths["generated"])
    if arguments.movielens:
        paths["movielens-100k"] = f"{arguments.folder}/movielens.safetensors"
        write(movielens(arguments.movielens), paths["movielens-100k"])
    return paths


def run(command: list[str]) -> dict:
    """The JSON of a command's last line."""
    # BLAS inside the peer would start threads of its own beside the peer's.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}: {process.stderr[-500:]}")
    return json.loads(process.stdout.strip().splitlines()[-1])
