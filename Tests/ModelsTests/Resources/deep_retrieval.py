"""Deep Retrieval on a tiny batch, by PyTorch: losses, every gradient, and the probability of every path of every user.
Writes deep_retrieval.json beside this file.

Run: .venv/bin/python Tests/ModelsTests/Resources/deep_retrieval.py   (needs torch)
"""
import itertools
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(20261125)
torch.set_default_dtype(torch.float64)
N, K, D, J = 6, 5, 3, 2
X, HIDDEN, NODE = 4, 6, 3
USERS, ITEMS, CATEGORIES, AUTHORS, PROFILE = 3, 7, 3, 4, [3, 4]
WIDTHS = dict(user=3, item=4, category=2, author=3, small=2)
USER_NUMERIC = 5  # UserFeature.allCases


def values(tensor):
    return [round(v, 7) for v in tensor.detach().flatten().tolist()]


def rounded(*shape):
    """Parameters with few decimals, so that the file holds exactly what was computed with."""
    return (torch.randn(*shape) * 0.7 * 1000).round() / 1000


inputs = dict(
    users=[1, 2, 3, 0, 1, 2],
    profile=[[1, 2], [0, 3], [2, 0], [0, 0], [1, 1], [2, 2]],
    surfaces=[0] * N, hours=[0] * N, weekdays=[0] * N, numeric=[[0.0] * USER_NUMERIC] * N,
    recentItems=[[1, 2], [], [3, 3, 7], [5], [6, 1, 2, 4], [7]],
    recentCategories=[[1, 2], [], [1, 1, 2], [2], [2, 1, 2, 1], [1]],
    # Two rows of one item: an accidental hit in the batch softmax.
    items=[1, 2, 4, 2, 5, 7], categories=[1, 2, 1, 2, 0, 1], authors=[1, 0, 3, 0, 2, 3],
    durations=[0.0] * N, ages=[0.0] * N,
)
# Rows 0 and 4 have paths that begin alike; row 5's differ in the last node alone.
paths = [[[0, 1, 2], [0, 3, 4]], [[4, 4, 4], [0, 0, 0]], [[1, 2, 3], [3, 2, 1]], [[2, 2, 2], [4, 0, 1]],
         [[0, 1, 2], [0, 1, 4]], [[3, 3, 0], [3, 3, 1]]]

shapes = {"item": (ITEMS + 1, WIDTHS["item"]), "category": (CATEGORIES, WIDTHS["category"])}
shapes |= {"author": (AUTHORS, WIDTHS["author"])}
shapes |= {f"profile.{i}": (size, WIDTHS["small"]) for i, size in enumerate(PROFILE)}
shapes |= {"user.0.weight": (2 * WIDTHS["small"] + WIDTHS["item"] + WIDTHS["category"], 5), "user.0.bias": (1, 5)}
shapes |= {"user.1.weight": (5, X), "user.1.bias": (1, X)}
shapes |= {"item.0.weight": (WIDTHS["item"] + WIDTHS["category"] + WIDTHS["author"], X), "item.0.bias": (1, X)}
shapes |= {f"node.{d}": (K, NODE) for d in range(D - 1)}
for d in range(D):
    shapes |= {f"path.{d}.user.weight": (X, HIDDEN), f"path.{d}.user.bias": (1, HIDDEN)}
    shapes |= {f"path.{d}.output.weight": (HIDDEN, K), f"path.{d}.output.bias": (1, K)}
    if d:
        shapes[f"path.{d}.before"] = (d * NODE, HIDDEN)
p = {name: rounded(*shape).requires_grad_() for name, shape in shapes.items()}


def embedded(table, rows):
    """Row 0, the unknown value, has no gradient."""
    return F.embedding(torch.tensor(rows), table, padding_idx=0)


def pooled(table, lists):
    return torch.stack([embedded(table, rows).mean(0) if rows else torch.zeros(table.shape[1]) for rows in lists])


u = torch.cat([embedded(p[f"profile.{i}"], [row[i] for row in inputs["profile"]]) for i in range(len(PROFILE))]
              + [pooled(p["item"], inputs["recentItems"]), pooled(p["category"], inputs["recentCategories"])], 1)
x = torch.relu(u @ p["user.0.weight"] + p["user.0.bias"]) @ p["user.1.weight"] + p["user.1.bias"]


def log_p(user, d, before):
    """log p_d(. | nodes before, x): one net over the concatenation of x and the embeddings of the nodes before."""
    weight = p[f"path.{d}.user.weight"]
    parts = [x[user]]
    if d:
        weight = torch.cat([weight, p[f"path.{d}.before"]])
        parts += [p[f"node.{layer}"][node] for layer, node in enumerate(before)]
    hidden = torch.relu(torch.cat(parts) @ weight + p[f"path.{d}.user.bias"][0])
    return torch.log_softmax(hidden @ p[f"path.{d}.output.weight"] + p[f"path.{d}.output.bias"][0], 0)


def path_log_p(user, path):
    return sum(log_p(user, d, path[:d])[node] for d, node in enumerate(path))


path_loss = -torch.stack(
    [torch.logsumexp(torch.stack([path_log_p(i, path) for path in paths[i]]), 0) for i in range(N)]).mean()
b = torch.cat([embedded(p["item"], inputs["items"]), embedded(p["category"], inputs["categories"]),
               embedded(p["author"], inputs["authors"])], 1) @ p["item.0.weight"] + p["item.0.bias"]
frequencies = torch.tensor([-1.5, -2.0, -0.5, -2.0, -3.0, -2.5])
logits = F.normalize(x) @ F.normalize(b).T / 0.2 - frequencies
items = torch.tensor(inputs["items"])
same = (items.unsqueeze(0) == items.unsqueeze(1)) & ~torch.eye(N, dtype=torch.bool)
scorer_loss = F.cross_entropy(logits.masked_fill(same, -torch.inf), torch.arange(N))
(path_loss + 0.5 * scorer_loss).backward()

every = torch.stack([
    torch.stack([path_log_p(i, path) for path in itertools.product(range(K), repeat=D)]) for i in range(N)])
assert torch.allclose(every.exp().sum(1), torch.ones(N))
pathlib.Path(__file__).with_name("deep_retrieval.json").write_text(json.dumps(dict(
    inputs=inputs, paths=[(a * K + b) * K + c for row in paths for a, b, c in row],
    pathLoss=path_loss.item(), scorerLoss=scorer_loss.item(), logProbabilities=frequencies.tolist(), x=values(x),
    everyPath=values(every), parameters={name: values(t) for name, t in p.items()},
    gradients={name: values(t.grad) for name, t in p.items()})) + "\n")
