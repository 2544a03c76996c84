"""Loss, logits and every gradient of ranking models on a tiny batch, by PyTorch's autograd, written from the formulas of the
papers and not from the code. Writes ranker.json beside this file.

Run: python3 Tests/ModelsTests/Resources/ranker.py   (needs torch)
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(20261125)
torch.set_default_dtype(torch.float64)
N = 6
ROWS = dict(user=4, item=9, category=4, author=5, keyword=6)
WIDTHS = dict(user=3, item=4, category=2, author=3, keyword=2)
AGES = 22

FIELDS = [
    dict(name="user", kind="categorical"),
    dict(name="item", kind="categorical"),
    dict(name="category", kind="categorical"),
    dict(name="keywords", kind="multivalued", table="keyword", pooling="sum"),
    dict(name="numbers", kind="numeric", count=3),
]
SEQUENCES = [
    dict(name="liked", columns=[dict(table="item")], form="mean", length=3),
    dict(
        name="recent",
        columns=[dict(table="author"), dict(table="item", query="item"), dict(table="category", query="category")],
        form="layers", hidden=[5, 3], ageWidth=2, length=3,
    ),
    dict(
        name="long",
        columns=[dict(table="item", query="item"), dict(table="category", query="category")],
        form="dot", hidden=[4], ageWidth=1, length=20, search=dict(kind="hard", column=1, limit=2),
    ),
]
HEADS = [
    dict(name="click", kind="binary", tower=[5]),
    dict(name="like", kind="binary", tower=[4], given="click", weight=0.5),
    dict(name="watch", kind="watch_time", weight=0.3, tower=[3]),
    dict(name="finish", kind="finish", given="click", weight=0.7),
    dict(name="finished", kind="finish_above", weight=0.2, threshold=0.8),
]
TABLES = {name: dict(width=width) for name, width in WIDTHS.items()}
FULL = dict(
    tables=TABLES, fields=FIELDS, sequences=SEQUENCES,
    crossings=[
        dict(kind="linear", heads=["watch"]),
        dict(kind="fm", width=3, fields=["user", "item", "keywords"], heads=["click", "like"]),
        dict(kind="dcn", layers=2, rank=2),
        dict(kind="senet", reduction=2),
        dict(kind="bilinear", form="product", pairs=[["user", "item"], ["recent", "category"]]),
        dict(kind="fibinet", form="elementwise", fields=["user", "item", "long"], reduction=3),
    ],
    deep=dict(widths=[8, 6], normalization="layer"),
    personal=dict(fields=["user", "numbers"], hidden=4, towers=True),
    shared=dict(kind="mmoe", experts=3, widths=[7], gateDropout=0),
    heads=HEADS, negatives=dict(head="click", rate=0.5),
)
SCALAR = dict(
    tables={name: TABLES[name] for name in ("user", "item", "category", "keyword")}, fields=FIELDS,
    crossings=[dict(kind="fm", width=4)], heads=[dict(name="click", kind="binary")],
)


def values(tensor):
    return [round(v, 7) for v in tensor.detach().flatten().tolist()]


def rounded(*shape, scale=0.5):
    """Few decimals, so that the file holds exactly what was computed with."""
    return (torch.randn(*shape) * scale * 1000).round() / 1000


def history(lengths, columns):
    """Lists of given lengths with ages; rows include the unknown 0."""
    total = sum(lengths)
    return dict(
        columns=[torch.randint(0, ROWS[c], (total,)).tolist() for c in columns],
        ages=torch.randint(0, AGES, (total,)).tolist(),
        lengths=lengths,
    )


INPUTS = dict(
    user=torch.randint(0, ROWS["user"], (N,)).tolist(),
    item=[1, 2, 4, 2, 0, 7],
    category=[1, 2, 1, 3, 0, 1],
    keywords=[[1, 2], [], [3, 3, 5], [5], [0, 1, 2, 4], [2]],
    numbers=rounded(N, 3).tolist(),
    histories=[
        history([3, 0, 5, 1, 2, 4], ["item"]),
        history([2, 4, 0, 3, 5, 1], ["author", "item", "category"]),
        history([9, 12, 0, 7, 5, 11], ["item", "category"]),
    ],
)
LABELS = [
    [1, 0, 1, 1, 0, 0],
    [1, 0, 0, 1, 0, 0],
    [12.5, 0, 3, 100, 0, 0],
    [1, 0, 0.25, 0.875, 0, 0],
    [1, 0, 0.25, 0.875, 0, 0],
]


class Model:
    """Parameters appear when they are first asked for."""

    def __init__(self, specification):
        self.s = specification
        self.p = {}

    def parameter(self, name, *shape, padding=False):
        if name not in self.p:
            value = rounded(*shape)
            if padding:
                value[0] = 0
            self.p[name] = value.requires_grad_()
        return self.p[name]

    def table(self, name):
        return self.parameter(f"table.{name}", ROWS[name], WIDTHS[name], padding=True)

    def linear(self, name, x, outputs):
        return x @ self.parameter(f"{name}.weight", x.shape[1], outputs) + self.parameter(f"{name}.bias", 1, outputs)

    def mlp(self, name, x, widths, last=False, gates=()):
        for index, width in enumerate(widths):
            x = self.linear(f"{name}.{index}", x, width)
            if index < len(widths) - 1 or last:
                x = torch.relu(x)
            if index < len(gates):
                x = x * gates[index]
        return x

    def look_up(self, table, rows):
        """Row 0, the unknown one, gets no gradient."""
        return F.embedding(torch.tensor(rows, dtype=torch.long), table, padding_idx=0)

    def pooled(self, table, lists):
        return torch.stack([self.look_up(table, rows).sum(0) for rows in lists])

    def attention(self, s, fields):
        index = self.s["sequences"].index(s)
        h = INPUTS["histories"][index]
        name = f"sequence.{s['name']}"
        result, start = [], 0
        for row in range(N):
            positions = list(range(start, start + min(h["lengths"][row], s.get("length", 50))))
            start += h["lengths"][row]
            search = s.get("search")
            if search:
                wanted = INPUTS["category"][row]
                positions = [p for p in positions if wanted != 0 and h["columns"][search["column"]][p] == wanted]
                positions = positions[: search["limit"]]
            columns = list(enumerate(s["columns"]))
            compared = [(i, c) for i, c in columns if "query" in c] + [(i, c) for i, c in columns if "query" not in c]
            keys = [self.look_up(self.table(c["table"]), [h["columns"][i][p] for p in positions]) for i, c in compared]
            if s.get("ageWidth"):
                ages = self.parameter(f"{name}.age", AGES, s["ageWidth"])
                keys.append(ages[torch.tensor([h["ages"][p] for p in positions], dtype=torch.long)])
            keys = torch.cat(keys, 1)
            if s["form"] == "mean":
                result.append(keys.sum(0) / max(1, len(positions)))
                continue
            query = torch.cat([fields[c["query"]][row] for _, c in compared if "query" in c])
            d = len(query)
            q, k = query.expand(len(positions), d), keys[:, :d]
            if s["form"] == "layers":
                x = torch.cat([q, k, q - k, q * k, keys[:, d:]], 1)
                first = torch.relu(self.linear(f"{name}.attention.0", x, s["hidden"][0]))
                w = self.mlp(f"{name}.attention.out", first, s["hidden"][1:] + [1])
            else:
                width = s["hidden"][0]
                a = q @ self.parameter(f"{name}.attention.query", d, width)
                b = keys @ self.parameter(f"{name}.attention.key", keys.shape[1], width)
                w = torch.softmax((a * b).sum(1, keepdim=True) / width**0.5, 0)
            result.append((w * keys).sum(0))
        return torch.stack(result)

    def scalar(self, name, fields, width, names):
        y = self.parameter(f"{name}.bias", 1, 1)
        vectors = []
        for field in FIELDS:
            if field["kind"] == "numeric" or field["name"] not in names:
                continue
            table = field.get("table", field["name"])
            weights = self.parameter(f"{name}.weights.{table}", ROWS[table], 1, padding=True)
            rows = INPUTS[field["name"]]
            lists = rows if field["kind"] == "multivalued" else [[r] for r in rows]
            y = y + self.pooled(weights, lists)
            if width:
                factors = self.parameter(f"{name}.factors.{table}", ROWS[table], width, padding=True)
                vectors.append(self.pooled(factors, lists))
        numbers = fields["numbers"]
        y = y + numbers @ self.parameter(f"{name}.weights", 3, 1)
        if width:
            factors = self.parameter(f"{name}.factors", 3, width)
            vectors += [numbers[:, i : i + 1] * factors[i] for i in range(3)]
            for i in range(len(vectors)):
                for j in range(i + 1, len(vectors)):
                    y = y + (vectors[i] * vectors[j]).sum(1, keepdim=True)
        return y

    def senet(self, name, parts, reduction):
        means = torch.stack([part.mean(1) for part in parts], 1)
        hidden = torch.relu(self.linear(f"{name}.squeeze", means, max(1, len(parts) // reduction)))
        w = torch.sigmoid(self.linear(f"{name}.excite", hidden, len(parts)))
        return [w[:, i : i + 1] * part for i, part in enumerate(parts)]

    def bilinear(self, name, parts, pairs, form):
        result = []
        for i, j in pairs:
            turned = parts[j] @ self.parameter(f"{name}.{i}.{j}", parts[j].shape[1], parts[i].shape[1])
            y = parts[i] * turned
            result.append(y.sum(1, keepdim=True) if form == "product" else y)
        return torch.cat(result, 1)

    def logits(self):
        s = self.s
        fields = {}
        for field in s["fields"]:
            rows = INPUTS[field["name"]]
            if field["kind"] == "numeric":
                fields[field["name"]] = torch.tensor(rows)
            elif "shared" not in s:  # Scalars have weights and vectors of their own.
                fields[field["name"]] = None
            elif field["kind"] == "categorical":
                fields[field["name"]] = self.look_up(self.table(field["name"]), rows)
            else:
                fields[field["name"]] = self.pooled(self.table(field["table"]), rows)
        parts = {f["name"]: fields[f["name"]] for f in s["fields"] if f["kind"] != "numeric"}
        for sequence in s.get("sequences", []):
            parts[sequence["name"]] = self.attention(sequence, fields)
        x = torch.cat(list(parts.values()) + [fields["numbers"]], 1) if "shared" in s else None
        heads = s["heads"]
        gates = []
        if "personal" in s:
            user = torch.cat([fields[name] for name in s["personal"]["fields"]], 1)
            hidden = torch.relu(self.linear("personal.hidden", user, s["personal"]["hidden"]))
            widths = s["deep"]["widths"] + [w for h in heads for w in h.get("tower", [])]
            gates = [2 * torch.sigmoid(self.linear(f"personal.{i}", hidden, w)) for i, w in enumerate(widths)]
        body = []
        if "deep" in s:
            y = x
            for index, width in enumerate(s["deep"]["widths"]):
                y = self.linear(f"deep.{index}", y, width)
                scale = self.parameter(f"deep.{index}.norm.scale", 1, width)
                shift = self.parameter(f"deep.{index}.norm.shift", 1, width)
                y = torch.relu(F.layer_norm(y, (width,), scale[0], shift[0], eps=1e-5)) * gates[index]
            body.append(y)
            gates = gates[len(s["deep"]["widths"]) :]
        added = [[] for _ in heads]
        for index, crossing in enumerate(s["crossings"]):
            name, kind = f"crossing.{index}", crossing["kind"]
            names = crossing.get("fields", list(parts))
            chosen = [parts[n] for n in names]
            if kind in ("linear", "fm"):
                y = self.scalar(name, fields, crossing.get("width"), names)
                for head, terms in zip(heads, added):
                    if head["name"] in crossing.get("heads", [head["name"]]):
                        terms.append(y)
            elif kind == "dcn":
                y = x
                for layer in range(crossing["layers"]):
                    inner = y @ self.parameter(f"{name}.{layer}.reduction", x.shape[1], crossing["rank"])
                    y = x * self.linear(f"{name}.{layer}", inner, x.shape[1]) + y
                body.append(y)
            elif kind == "senet":
                body.append(torch.cat(self.senet(name, chosen, crossing["reduction"]), 1))
            elif kind == "bilinear":
                pairs = [(names.index(a), names.index(b)) for a, b in crossing["pairs"]]
                body.append(self.bilinear(name, chosen, pairs, crossing["form"]))
            elif kind == "fibinet":
                pairs = [(i, j) for i in range(len(chosen)) for j in range(i + 1, len(chosen))]
                body.append(self.bilinear(f"{name}.plain", chosen, pairs, crossing["form"]))
                weighted = self.senet(f"{name}.senet", chosen, crossing["reduction"])
                body.append(self.bilinear(f"{name}.weighted", weighted, pairs, crossing["form"]))
        result = []
        if body:
            body = torch.cat(body, 1)
            shared = s["shared"]
            experts = [self.mlp(f"shared.expert.{e}", body, shared["widths"], True) for e in range(shared["experts"])]
            for k, head in enumerate(heads):
                g = torch.softmax(self.linear(f"shared.gate.{k}", body, shared["experts"]), 1)
                mixed = sum(g[:, e : e + 1] * experts[e] for e in range(len(experts)))
                tower = head.get("tower", [])
                result.append(self.mlp(f"head.{head['name']}", mixed, tower + [1], gates=gates[: len(tower)]))
                gates = gates[len(tower) :]
        else:
            result = [0] * len(heads)
        return [logit + sum(terms) for logit, terms in zip(result, added)]

    def losses(self, logits):
        result = []
        sampled = self.s.get("negatives")
        for k, (head, z) in enumerate(zip(self.s["heads"], logits)):
            y = torch.tensor(LABELS[k], dtype=torch.float64)
            weights = torch.ones(N)
            if sampled and head["name"] != sampled["head"] and head.get("given") != sampled["head"]:
                weights = torch.where(torch.tensor(LABELS[0]) > 0, 1.0, 1 / sampled["rate"])
            if "given" in head:
                weights = weights * (torch.tensor(LABELS[0]) > 0)
            if head["kind"] == "watch_time":
                y = y / (1 + y)
            elif head["kind"] == "finish_above":
                y = (y > head["threshold"]).double()
            each = F.binary_cross_entropy_with_logits(z[:, 0], y, reduction="none")
            result.append((each * weights).sum() / weights.sum())
        return result


def run(specification):
    model = Model(specification)
    logits = model.logits()
    losses = model.losses(logits)
    total = sum(head.get("weight", 1) * loss for head, loss in zip(specification["heads"], losses))
    names = list(model.p)
    gradients = torch.autograd.grad(total, [model.p[name] for name in names])
    return dict(
        specification=specification,
        logits=[values(z) for z in logits],
        losses=[loss.item() for loss in losses],
        total=total.item(),
        parameters={name: values(model.p[name]) for name in names},
        gradients={name: values(gradient) for name, gradient in zip(names, gradients)},
    )


result = dict(rows=ROWS, inputs=INPUTS, labels=LABELS, full=run(FULL), scalar=run(SCALAR))
pathlib.Path(__file__).with_name("ranker.json").write_text(json.dumps(result))
