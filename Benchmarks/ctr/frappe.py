"""Makes frappe.train.libfm beside frappe.validation.libfm and frappe.test.libfm, where only those two of He and Chua's split of
Frappe (SIGIR 2017) are at hand, from Frappe's own frappe.csv.

Positives are exactly those of the published training part: all of frappe.csv less the validated and tested ones. Negatives are drawn
again, by the law that the published ones follow: two for each positive, with its user and context, of an app that the user has
never used, evenly among these and none twice for a user (none of the validated or tested ones either).

    frappe.py FOLDER [SEED]
"""

import collections
import csv
import os
import random
import sys

# Columns of frappe.csv in the order of the fields; cnt, how often an app was used, is no input.
FIELDS = ["user", "item", "daytime", "weekday", "isweekend", "homework", "cost", "weather", "country", "city"]


def positives(path: str) -> tuple[list[tuple[int, ...]], range]:
    """Rows as features, and the features that are items. Features are numbered field after field, each as values appear."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    columns, items, first = [], range(0), 0
    for field in FIELDS:
        numbers: dict[str, int] = {}
        columns.append([numbers.setdefault(row[field], first + len(numbers)) for row in rows])
        if field == "item":
            items = range(first, first + len(numbers))
        first += len(numbers)
    return list(zip(*columns)), items


def read(path: str) -> list[tuple[bool, tuple[int, ...]]]:
    with open(path) as file:
        lines = [line.split() for line in file]
    return [(float(line[0]) > 0, tuple(int(pair.split(":")[0]) for pair in line[1:])) for line in lines]


def draw(owned, items: range, known, generator: random.Random):
    """Negatives for the positives `owned`, less those that are `known`."""
    used, contexts, taken = (collections.defaultdict(list) for _ in range(3))
    for user, item, *context in owned:
        used[user].append(item)
        contexts[user] += [tuple(context)] * 2
    for user, item, *context in known:
        contexts[user].remove(tuple(context))
        taken[user].append(item)
    for user, own in sorted(contexts.items()):
        free = sorted(set(items) - set(used[user]) - set(taken[user]))
        for item, context in zip(generator.sample(free, len(own)), own):
            yield user, item, *context


def main() -> None:
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    folder, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    owned, items = positives(os.path.join(folder, "frappe.csv"))
    others = [row for part in ("validation", "test") for row in read(os.path.join(folder, f"frappe.{part}.libfm"))]
    left = collections.Counter(owned)
    left.subtract(row for label, row in others if label)
    if min(left.values()) < 0:
        sys.exit(f"{folder}: validated or tested rows that are not in frappe.csv")
    generator = random.Random(seed)
    rows = [("1", row) for row in left.elements()]
    rows += [("-1", row) for row in draw(owned, items, [row for label, row in others if not label], generator)]
    generator.shuffle(rows)
    path = os.path.join(folder, "frappe.train.libfm")
    with open(path + ".part", "w") as file:
        for label, row in rows:
            print(label, *(f"{feature}:1" for feature in row), file=file)
    os.replace(path + ".part", path)
    print(f"{path}: {len(rows):,} rows, {sum(label == '1' for label, _ in rows):,} positive", file=sys.stderr)


if __name__ == "__main__":
    main()
