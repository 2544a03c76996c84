"""Reads events.csv with pandas or polars into columns of numbers, as far as their users usually go: ids numbered in order
of first appearance, rows in order of time, columns saved. Neither checks rows, finds repeated ones, nor joins actions to
showings, all of which the import does."""

import sys

import numpy


def with_pandas(path: str) -> dict:
    import pandas

    frame = pandas.read_csv(path, dtype={"item_id": str, "event": str, "surface": str})
    frame = frame.sort_values("time", kind="stable")
    columns = {name: pandas.factorize(frame[name])[0] for name in ("user_id", "item_id", "event", "surface")}
    columns["time"] = frame["time"].to_numpy()
    columns["value"] = frame["value"].fillna(0).to_numpy(numpy.float32)
    return columns


def with_polars(path: str) -> dict:
    import polars

    frame = polars.read_csv(path).sort("time", maintain_order=True)
    codes = {
        name: frame[name].cast(polars.String).cast(polars.Categorical).to_physical().to_numpy()
        for name in ("user_id", "item_id", "event", "surface")
    }
    return codes | {
        "time": frame["time"].to_numpy(),
        "value": frame["value"].fill_null(0).cast(polars.Float32).to_numpy(),
    }


if __name__ == "__main__":
    peer, path, output = sys.argv[1:]
    columns = {"pandas": with_pandas, "polars": with_polars}[peer](path)
    numpy.savez(output, **columns)
    print(len(columns["time"]), max(columns["user_id"]) + 1, max(columns["item_id"]) + 1)
