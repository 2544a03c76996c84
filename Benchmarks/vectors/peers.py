"""The peers: how each is built, and searched one query a call on one thread. Built indexes are kept beside the set."""

import json
import os
import time

import numpy

DEPTH = 100
PROBES = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 23, 26, 30, 34, 40, 46, 52, 60, 70, 80, 96, 112, 128, 160, 200, 256, 320, 400, 512)
BEAMS = (100, 110, 120, 135, 150, 170, 200, 230, 260, 300, 350, 400, 470, 550, 650, 800, 1000, 1300, 1700, 2200)


class Family:
    """One peer in one set-up: a grid of settings of rising recall, and a search by the setting last chosen."""

    def __init__(self, peer, name, grid, choose, search, index):
        self.peer, self.name, self.grid, self.choose, self.search, self.index = peer, name, grid, choose, search, index


def lists(count):
    """Inverted lists: a power of two near 4 sqrt(n), the lower one where a small set fits the caches."""
    return 4_096 if count > 500_000 else 1_024


def kept(folder, name, build, save, load):
    """Builds once; the seconds and bytes of the build are kept beside the index."""
    path = f"{folder}/{name}"
    if not os.path.exists(f"{path}.json"):
        start = time.process_time()
        index = build()
        seconds = time.process_time() - start
        save(index, path)
        size = os.path.getsize(path) if os.path.isfile(path) else sum(
            os.path.getsize(f"{path}/{file}") for file in os.listdir(path))
        with open(f"{path}.json", "w") as file:
            json.dump({"seconds": round(seconds, 1), "bytes": size}, file)
    with open(f"{path}.json") as file:
        return load(path), json.load(file)


def faiss_families(items, folder):
    import faiss

    faiss.omp_set_num_threads(1)
    count, width = items.shape
    for kind, factors in (("Flat", (0,)), (f"PQ{width // 2}x4fs,RFlat", (5, 8, 14))):
        spec = f"IVF{lists(count)},{kind}"

        def build(spec=spec):
            index = faiss.index_factory(width, spec, faiss.METRIC_INNER_PRODUCT)
            faiss.extract_index_ivf(index).cp.niter = 10
            sample = numpy.random.default_rng(1).choice(count, min(count, 64 * lists(count)), replace=False)
            index.train(items[sample])
            index.add(items)
            return index

        index, cost = kept(
            folder, "faiss-" + spec.replace(",", "-"), build, faiss.write_index, faiss.read_index)
        inverted = faiss.extract_index_ivf(index)
        for factor in factors:
            def choose(probes, index=index, inverted=inverted, factor=factor):
                inverted.nprobe = probes
                if factor:
                    index.k_factor = factor

            yield Family(
                "faiss IVF-Flat" if kind == "Flat" else "faiss IVF-PQ fast-scan, re-ranked",
                f"{spec}" + (f" k_factor={factor}" if factor else ""), PROBES, choose,
                lambda query, index=index: index.search(query[None], DEPTH)[1][0], cost)


def hnswlib_families(items, folder):
    import hnswlib

    count, width = items.shape

    def build():
        index = hnswlib.Index("ip", width)
        index.init_index(count, ef_construction=200, M=16, random_seed=1)
        index.add_items(items, num_threads=1)
        return index

    def load(path):
        index = hnswlib.Index("ip", width)
        index.load_index(path)
        index.set_num_threads(1)
        return index

    index, cost = kept(folder, "hnswlib-16", build, lambda index, path: index.save_index(path), load)
    yield Family(
        "hnswlib", "M=16 efConstruction=200", BEAMS, index.set_ef,
        lambda query: index.knn_query(query, k=DEPTH, num_threads=1)[0][0], cost)


def scann_families(items, folder):
    import scann

    count = len(items)
    coarse = {"num_leaves": lists(count) // 2, "num_leaves_to_search": 50, "training_sample_size": min(count, 250_000)}
    setups = {
        "ah": (coarse, {}),
        "soar": (coarse | {"soar_lambda": 1.5, "overretrieve_factor": 2.0}, {}),
        "spherical": (
            coarse | {"num_leaves": lists(count), "spherical": True, "quantize_centroids": True}, {"quantize": True}),
    }

    def save(index, path):
        os.makedirs(path, exist_ok=True)
        index.serialize(path)

    for name, (tree, reorder) in setups.items():
        def build(tree=tree, reorder=reorder):
            builder = scann.scann_ops_pybind.builder(items, DEPTH, "dot_product").tree(**tree)
            builder = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(300, **reorder)
            return builder.set_n_training_threads(1).build()

        index, cost = kept(folder, f"scann-{name}", build, save, scann.scann_ops_pybind.load_searcher)
        for reordered in (150, 200, 300, 500, 1_000):
            chosen = [1]
            yield Family(
                "ScaNN", f"{name}, {tree['num_leaves']} leaves, reorder={reordered}", PROBES,
                lambda probes, chosen=chosen: chosen.__setitem__(0, probes),
                lambda query, index=index, reordered=reordered, chosen=chosen: index.search(
                    query, final_num_neighbors=DEPTH, pre_reorder_num_neighbors=reordered,
                    leaves_to_search=chosen[0])[0], cost)


def families(items, folder):
    yield from scann_families(items, folder)
    yield from faiss_families(items, folder)
    yield from hnswlib_families(items, folder)
