"""Measures search in vector indexes beside ScaNN, faiss and hnswlib: top 100, one query a call, one thread, processor time.

For each recall wanted, every program is set as cheaply as reaches it on the set's 1,000 queries; then all run in turn. The time
of a call from Python that finds nothing is taken off the peers' times. Filtered search is measured beside faiss's selectors."""

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy  # noqa: E402

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402
import sets  # noqa: E402

RERANKS = {"ivf-int8": (1.1, 1.3, 1.7, 2.5), "ivf-pq": (1.5, 2, 3, 4, 6, 9, 14)}
PATIENCE = (6, 16, 0)
PROBES = sorted(set(peers.PROBES) | {640, 800, 1_000})


class Ours:
    """An index built and served by vectors-bench."""

    peer = "tributary"

    def __init__(self, kind, set_folder):
        self.kind = kind
        self.path = f"{set_folder}/tributary-{kind}"
        if not os.path.exists(f"{self.path}.json"):
            command = [
                ".build/release/vectors-bench", "build", "--items", f"{set_folder}/items.npy", "--tuning",
                f"{set_folder}/tuning.npy", "--kind", kind, "--out", self.path,
            ]
            built = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            with open(f"{self.path}.json", "w") as file:
                file.write(built)
        with open(f"{self.path}.json") as file:
            self.built = json.load(file)
        self.process = subprocess.Popen(
            [".build/release/vectors-bench", "serve", "--index", self.path, "--queries", f"{set_folder}/queries.npy"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.kernels = self.process.stdout.readline().split()[1]

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"measure.py: vectors-bench ended at \"{line}\"")
        return answer.strip()

    def set(self, probes, rerank, patience):
        self.say(f"set {probes} {rerank} {patience}")

    def filter(self, path):
        self.say(f"filter {path or 'none'}")

    def microseconds(self, first, count):
        return float(self.say(f"time {first} {count}"))

    def found(self):
        path = f"{self.path}.found"
        self.say(f"found {path}")
        return numpy.fromfile(path, numpy.uint32).reshape(-1, sets.DEPTH)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def recall(found, truth):
    return float(numpy.mean([len(numpy.intersect1d(a, b)) / sets.DEPTH for a, b in zip(found, truth)]))


def lowest(grid, reaches):
    """The first of an ascending grid that reaches the recall, by halving; nil when none does."""
    low, high = 0, len(grid) - 1
    if not reaches(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if reaches(middle):
            high = middle
        else:
            low = middle + 1
    return low


class Runner:
    """A program at one setting."""

    def __init__(self, name, label, apply, microseconds, reached, built):
        self.name, self.label, self.apply, self.microseconds = name, label, apply, microseconds
        self.reached, self.built, self.times = reached, built, []


def choose_ours(ours, truth, target, cache):
    """Settings of one kind, and the cheapest."""
    best = None
    for setting in [(rerank, patience) for rerank in RERANKS[ours.kind] for patience in PATIENCE]:
        def reaches(place, setting=setting):
            key = (ours.path, PROBES[place], setting)
            if key not in cache:
                ours.set(PROBES[place], *setting)
                cache[key] = recall(ours.found(), truth), ours.microseconds(0, 400)
            return cache[key][0] >= target

        place = lowest(PROBES, reaches)
        if place is None:
            continue
        reached, cost = cache[(ours.path, PROBES[place], setting)]
        if best is None or cost < best[0]:
            best = cost, (PROBES[place], *setting), reached
    if best is None:
        return None
    _, setting, reached = best
    return Runner(
        f"tributary {ours.kind}", "{} lists, {} x, patience {}".format(*setting), lambda: ours.set(*setting),
        ours.microseconds, reached, ours.built | {"seconds": ours.built["cpu_seconds"]})


def timed(search, queries, first, count):
    start = time.process_time()
    for place in range(first, first + count):
        search(queries[place % len(queries)])
    return (time.process_time() - start) / count * 1e6


def choose_peer(family, queries, truth, target, overhead, cache):
    """The cheapest setting of one family: its rough cost, and a runner."""
    def reaches(place):
        key = f"{family.peer}, {family.name}, {place}"
        if key not in cache:
            family.choose(family.grid[place])
            start = time.process_time()
            found = [family.search(query) for query in queries]
            cache[key] = recall(found, truth), (time.process_time() - start) / len(queries)
        return cache[key][0] >= target

    place = lowest(family.grid, reaches)
    if place is None:
        return None
    reached, cost = cache[f"{family.peer}, {family.name}, {place}"]
    runner = Runner(
        family.peer, f"{family.name}, {family.grid[place]}", lambda: family.choose(family.grid[place]),
        lambda first, count: timed(family.search, queries, first, count) - overhead[family.peer], reached,
        family.index)
    return cost, runner


def call_overheads(width):
    """Microseconds of a call that has next to nothing to do."""
    import faiss
    import hnswlib
    import scann

    rows = sets.unit(numpy.random.default_rng(1).standard_normal((100, width)))
    flat = faiss.IndexFlatIP(width)
    flat.add(rows[:1])
    small = hnswlib.Index("ip", width)
    small.init_index(1)
    small.add_items(rows[:1])
    brute = scann.scann_ops_pybind.builder(rows[:1], 1, "dot_product").score_brute_force().build()
    calls = {
        "faiss": lambda query: flat.search(query[None], 1)[1][0],
        "hnswlib": lambda query: small.knn_query(query, k=1, num_threads=1)[0][0],
        "ScaNN": lambda query: brute.search(query, final_num_neighbors=1)[0],
    }
    figures = {name: min(timed(call, rows, 0, 2_000) for _ in range(3)) for name, call in calls.items()}
    return {
        "faiss IVF-Flat": figures["faiss"], "faiss IVF-PQ fast-scan, re-ranked": figures["faiss"],
        "hnswlib": figures["hnswlib"], "ScaNN": figures["ScaNN"],
    }


def measure(name, arguments):
    """One set: {target: {program: (microseconds, recall, setting)}}, and costs of the builds."""
    folder = sets.prepare(name, f"{arguments.folder}/sets", arguments.towers)
    items, queries, truth = (numpy.load(f"{folder}/{part}.npy") for part in ("items", "queries", "truth"))
    ours = [Ours(kind, folder) for kind in ("ivf-int8", "ivf-pq")]
    overhead = call_overheads(items.shape[1])
    families = list(peers.families(items, folder))
    # What peers reach at which setting does not change from run to run, and takes most of the time.
    kept, cache, results = f"{folder}/settings.json", {}, {}
    reached = json.load(open(kept)) if os.path.exists(kept) else {}
    for target in arguments.targets:
        chosen = {}
        for own in ours:
            runner = choose_ours(own, truth, target, cache)
            if runner:
                chosen[runner.name] = runner
        cheapest = {}
        for family in families:
            found = choose_peer(family, queries, truth, target, overhead, reached)
            if found and (family.peer not in cheapest or found[0] < cheapest[family.peer][0]):
                cheapest[family.peer] = found
        runners = list(chosen.values()) + [runner for _, runner in cheapest.values()]
        for turn in range(arguments.rounds):
            for runner in runners:
                runner.apply()
                runner.microseconds(turn * 7, 20)
                runner.times.append(runner.microseconds(turn * 97, arguments.queries))
        results[target] = {runner.name: runner for runner in runners}
        with open(kept, "w") as file:
            json.dump(reached, file)
    for own in ours:
        own.close()
    report(name, items, results, ours[0].kernels)
    return results


def report(name, items, results, kernels):
    print(f"\n{name}: {len(items):,} x {items.shape[1]}, best {sets.DEPTH}, kernels {kernels}")
    print(f"{'recall':>6}  {'program':<36} {'us':>8} {'queries/s':>10} {'ratio':>6} {'build CPU s':>12} {'bytes/vector':>13}   setting")
    for target, runners in results.items():
        medians = {key: statistics.median(runner.times) for key, runner in runners.items()}
        best = min(value for key, value in medians.items() if key.startswith("tributary"))
        for key, value in sorted(medians.items(), key=lambda pair: pair[1]):
            runner = runners[key]
            print(
                f"{target:>6}  {key:<36} {value:>8.1f} {1e6 / value:>10,.0f} {value / best:>6.2f} {runner.built['seconds']:>12.1f} "
                f"{runner.built['bytes'] / len(items):>13.1f}   {runner.label}; {runner.reached:.4f}", flush=True)


def filtered(name, arguments):
    """Filtered search at 0.95 beside faiss IVF-Flat with an IDSelectorBitmap, for shares of the items allowed."""
    import faiss

    faiss.omp_set_num_threads(1)
    folder = f"{arguments.folder}/sets/{name}"
    items, queries = numpy.load(f"{folder}/items.npy"), numpy.load(f"{folder}/queries.npy")[:300]
    inverted = faiss.read_index(f"{folder}/faiss-IVF{peers.lists(len(items))}-Flat")
    ours = Ours("ivf-pq", folder)
    ratios = {}
    print(f"\n{name}, filtered, recall 0.95: {'allowed':>8} {'tributary us':>13} {'recall':>7} {'faiss us':>10} {'recall':>7} {'nprobe':>7} {'ratio':>6}")
    for share in (0.01, 0.1, 0.5):
        allowed = numpy.random.default_rng(int(share * 100)).random(len(items)) < share
        numpy.save(f"{folder}/allowed.npy", allowed.astype(numpy.uint8))
        truth = sets.truth(items, queries, allowed=allowed)
        selector = faiss.IDSelectorBitmap(numpy.packbits(allowed, bitorder="little"))
        cache = {}

        def search(query, probes):
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=probes)
            return inverted.search(query[None], sets.DEPTH, params=parameters)[1][0]

        def reaches(place):
            if place not in cache:
                cache[place] = recall([search(query, PROBES[place]) for query in queries], truth)
            return cache[place] >= 0.95

        place = lowest(PROBES, reaches)
        ours.set(ours.built["probes"], ours.built["rerank"], ours.built["patience"])
        ours.filter(f"{folder}/allowed.npy")
        reached = recall(ours.found()[: len(queries)], truth)
        own, theirs = [], []
        for turn in range(arguments.rounds):
            own.append(ours.microseconds(turn * 31, 100))
            theirs.append(timed(lambda query: search(query, PROBES[place]), queries, turn * 31, 60))
        own, theirs = statistics.median(own), statistics.median(theirs)
        ratios[f"faiss IVF-Flat, {name}, {share:.0%} allowed"] = round(theirs / own, 2)
        print(
            f"{'':>{len(name) + 24}} {share:>8.0%} {own:>13.1f} {reached:>7.4f} {theirs:>10.1f} {cache[place]:>7.4f} {PROBES[place]:>7} "
            f"{theirs / own:>6.2f}", flush=True)
    ours.close()
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--sets", nargs="+", default=["200k", "1m", "glove"], choices=["200k", "1m", "glove", "two-tower"])
    parser.add_argument("--towers", help="folder of items.npy and users.npy, a trained two-tower model's vectors")
    parser.add_argument("--targets", nargs="+", type=float, default=[0.9, 0.95, 0.99])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--queries", type=int, default=300, help="queries a turn")
    parser.add_argument("--no-filters", action="store_true", help="leave filtered search out")
    arguments = parser.parse_args()
    # ScaNN looks for relative paths twice.
    arguments.folder = os.path.abspath(arguments.folder)
    if "two-tower" in arguments.sets and not arguments.towers:
        parser.error("--sets two-tower needs --towers")
    versions = {name: importlib.metadata.version(name) for name in ("scann", "faiss-cpu", "hnswlib")}
    print("peers: " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    ratios, value = {}, None
    for name in arguments.sets:
        for target, runners in measure(name, arguments).items():
            medians = {key: statistics.median(runner.times) for key, runner in runners.items()}
            best = min(figure for key, figure in medians.items() if key.startswith("tributary"))
            value = 1e6 / best if (name, target) == ("1m", 0.95) or value is None else value
            for key, figure in medians.items():
                if not key.startswith("tributary"):
                    ratios[f"{key}, {name}, {target}"] = round(figure / best, 2)
    if not arguments.no_filters and "1m" in arguments.sets:
        ratios |= filtered("1m", arguments)
    print(json.dumps({"name": "vectors", "value": round(value), "unit": "queries/s", "peers": versions, "ratios": ratios}))


if __name__ == "__main__":
    main()
