"""The model of model.json in PyTorch, written as its users write it: padded histories with a mask, [q, k, q - k, q * k] put
together, fused Adagrad for embeddings, fused Adam for the layers. Gradients of embeddings are dense: with tables of these sizes
that is faster than sparse ones are, and Adagrad moves the same rows. Prints its seconds as JSON.

    peer.py ROWS START SCORES TRAIN TEST BATCH THREADS
"""

import json
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from rows import SIZES
from safetensors.numpy import load_file, save_file

WIDTHS = dict(user=16, item=16, category=8, author=8, keyword=8, hour=4)
HISTORY = 50


class Model(torch.nn.Module):
    def __init__(self, start: dict[str, numpy.ndarray]):
        super().__init__()
        self.tables = torch.nn.ModuleDict(
            {
                name: (torch.nn.EmbeddingBag if name == "keyword" else torch.nn.Embedding)(
                    SIZES[name], width, padding_idx=None if name == "hour" else 0,
                    **(dict(mode="mean", include_last_offset=True) if name == "keyword" else {}),
                )
                for name, width in WIDTHS.items()
            }
        )

        def linear(inputs, outputs):
            return torch.nn.Linear(inputs, outputs)

        width = sum(WIDTHS.values()) + 24 + 12
        self.attention = torch.nn.ModuleList([linear(96, 36), linear(36, 1)])
        self.cross = torch.nn.ModuleList([linear(width, width) for _ in range(3)])
        self.deep = torch.nn.ModuleList([linear(width, 256), linear(256, 128)])
        body = width + 128
        self.experts = torch.nn.ModuleList(
            [torch.nn.ModuleList([linear(body, 128), linear(128, 64)]) for _ in range(4)]
        )
        self.gates = torch.nn.ModuleList([linear(body, 4) for _ in range(4)])
        self.towers = torch.nn.ModuleList([torch.nn.ModuleList([linear(64, 32), linear(32, 1)]) for _ in range(4)])
        self.load(start)

    def load(self, start) -> None:
        heads = ["click", "like", "watch", "finish"]
        layers = {
            "sequence.recent.attention.0": self.attention[0], "sequence.recent.attention.out.0": self.attention[1],
            **{f"crossing.0.{i}": layer for i, layer in enumerate(self.cross)},
            **{f"deep.{i}": layer for i, layer in enumerate(self.deep)},
            **{f"shared.expert.{e}.{i}": layer for e, own in enumerate(self.experts) for i, layer in enumerate(own)},
            **{f"shared.gate.{k}": layer for k, layer in enumerate(self.gates)},
            **{f"head.{heads[k]}.{i}": layer for k, own in enumerate(self.towers) for i, layer in enumerate(own)},
        }
        with torch.no_grad():
            for name, layer in layers.items():
                layer.weight.copy_(torch.from_numpy(start[f"{name}.weight"]).T)
                layer.bias.copy_(torch.from_numpy(start[f"{name}.bias"])[0])
            for name, table in self.tables.items():
                table.weight.copy_(torch.from_numpy(start[f"table.{name}"]))

    def forward(self, x):
        item, category = self.tables["item"](x["item"]), self.tables["category"](x["category"])
        keywords = self.tables["keyword"](x["keywords"], x["keywords.offsets"])
        k = torch.cat([self.tables["item"](x["recent.item"]), self.tables["category"](x["recent.category"])], 2)
        q = torch.cat([item, category], 1)[:, None].expand(-1, k.shape[1], -1)
        w = torch.relu(self.attention[0](torch.cat([q, k, q - k, q * k], 2)))
        w = self.attention[1](w) * x["recent.mask"][:, :, None]
        recent = (w * k).sum(1)
        parts = [self.tables["user"](x["user"]), self.tables["hour"](x["hour"]), item, category]
        parts += [self.tables["author"](x["author"]), keywords, recent, x["statistics"]]
        x0 = torch.cat(parts, 1)
        deep = x0
        for layer in self.deep:
            deep = torch.relu(layer(deep))
        crossed = x0
        for layer in self.cross:
            crossed = x0 * layer(crossed) + crossed
        body = torch.cat([deep, crossed], 1)
        experts = torch.stack([torch.relu(own[1](torch.relu(own[0](body)))) for own in self.experts], 1)
        logits = []
        for gate, tower in zip(self.gates, self.towers):
            mixed = (torch.softmax(gate(body), 1)[:, :, None] * experts).sum(1)
            logits.append(tower[1](torch.relu(tower[0](mixed)))[:, 0])
        return logits


def loss(logits, labels):
    click, like, seconds, fraction = labels.unbind(1)
    given = click / click.sum().clamp(min=1)
    bce = F.binary_cross_entropy_with_logits
    return (
        bce(logits[0], click)
        + (bce(logits[1], like, reduction="none") * given).sum()
        + 0.5 * bce(logits[2], seconds / (1 + seconds))
        + 0.5 * (bce(logits[3], (fraction > 0.8).float(), reduction="none") * given).sum()
    )


class Rows:
    """The rows as tensors, histories padded to their full length once."""

    def __init__(self, path: str):
        file = load_file(path)
        self.values = {
            name: torch.from_numpy(file[name].astype(numpy.int64))
            for name in ("user", "hour", "item", "category", "author")
        }
        self.values["statistics"] = torch.from_numpy(file["statistics"])
        self.labels = torch.from_numpy(file["labels"])
        offsets = file["recent.offsets"].astype(numpy.int64)
        lengths = numpy.diff(offsets)
        mask = numpy.arange(HISTORY)[None] < lengths[:, None]
        for name in ("recent.item", "recent.category"):
            padded = numpy.zeros(mask.shape, numpy.int64)
            padded[mask] = file[name]
            self.values[name] = torch.from_numpy(padded)
        self.values["recent.mask"] = torch.from_numpy(mask.astype(numpy.float32))
        self.words = torch.from_numpy(file["keywords"].astype(numpy.int64))
        self.word_offsets = torch.from_numpy(file["keywords.offsets"].astype(numpy.int64))

    def batch(self, start: int, end: int):
        x = {name: values[start:end] for name, values in self.values.items()}
        offsets = self.word_offsets[start : end + 1]
        x["keywords"] = self.words[offsets[0] : offsets[-1]]
        x["keywords.offsets"] = offsets - offsets[0]
        return x


def main() -> None:
    path, start, scores, *sizes = sys.argv[1:]
    train, test, batch, threads = map(int, sizes)
    torch.set_num_threads(threads)
    rows = Rows(path)
    model = Model(load_file(start))
    tables = [p for name, p in model.named_parameters() if name.startswith("tables.")]
    dense = [p for name, p in model.named_parameters() if not name.startswith("tables.")]
    adagrad = torch.optim.Adagrad(tables, lr=0.05, initial_accumulator_value=0.1, eps=1e-8, fused=True)
    adam = torch.optim.Adam(dense, lr=1e-3, fused=True)

    def step(at: int) -> None:
        end = min(at + batch, train)
        adagrad.zero_grad()
        adam.zero_grad()
        loss(model(rows.batch(at, end)), rows.labels[at:end]).backward()
        adagrad.step()
        adam.step()

    begin = time.perf_counter()
    for at in range(0, train, batch):
        step(at)
    seconds = time.perf_counter() - begin
    found = []
    with torch.no_grad():
        for at in range(train, train + test, batch):
            found.append(model(rows.batch(at, min(at + batch, train + test)))[0])
    save_file({"scores": torch.cat(found).numpy()}, scores)
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
