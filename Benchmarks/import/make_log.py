"""Writes a log of showings, clicks, plays and likes as events.csv, the same for the same number of rows."""

import os
import sys

import numpy
import polars

USERS = 1_000_000
ITEMS = 200_000


def main(path: str, rows: int) -> None:
    random = numpy.random.default_rng(7)
    # Popularity falls as a power of the rank; ranks are shuffled so that ids tell nothing of it.
    users = random.permutation(USERS)[(USERS * random.random(rows) ** 2).astype(int)] + 1
    items = random.permutation(ITEMS)[(ITEMS * random.random(rows) ** 3).astype(int)] + 1
    times = 1_767_571_200_000 + numpy.sort(random.integers(0, 28 * 86_400_000, rows))
    kinds = random.choice(4, rows, p=[0.8, 0.12, 0.06, 0.02])
    # An action follows a showing a few rows before it.
    for distance in (1, 2, 3):
        rest = (kinds > 0) & (random.random(rows) < 0.5)
        rest[:distance] = False
        place = numpy.flatnonzero(rest)
        users[place] = users[place - distance]
        items[place] = items[place - distance]
    names = numpy.array(["impression", "click", "play", "like"])[kinds]
    seconds = numpy.where(kinds == 2, random.integers(1, 9000, rows) / 10, numpy.nan)
    surfaces = numpy.array(["home", "discover", "related"])[random.choice(3, rows, p=[0.6, 0.3, 0.1])]
    frame = polars.DataFrame(
        {
            "user_id": users,
            "item_id": items,
            "time": times,
            "event": names,
            "value": polars.Series(seconds).fill_nan(None),
            "surface": surfaces,
        }
    )
    temporary = f"{path}.tmp"
    # Item ids are text, as most catalogues have them: "v" and a number.
    frame.with_columns(polars.format("v{}", "item_id").alias("item_id")).write_csv(temporary)
    os.rename(temporary, path)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
