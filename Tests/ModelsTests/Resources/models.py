"""Loss and every gradient of both models on a tiny batch, by PyTorch's autograd. Writes models.json beside this file.

Run: .venv/bin/python Tests/ModelsTests/Resources/models.py   (needs torch)
"""
import json
import pathlib

import torch

torch.manual_seed(20261123)
torch.set_default_dtype(torch.float64)
N = 6
USERS, ITEMS, CATEGORIES, AUTHORS, SURFACES, PROFILE = 3, 7, 3, 4, 2, [3, 4]
WIDTHS = dict(user=3, item=4, category=2, author=3, small=2)
USER_NUMERIC = 5  # UserFeature.allCases


def values(tensor):
    return [round(v, 7) for v in tensor.detach().flatten().tolist()]


def rounded(*shape):
    """Parameters and inputs with few decimals, so that the file holds exactly what was computed with."""
    return (torch.randn(*shape) * 0.5 * 1000).round() / 1000


inputs = dict(
    users=torch.randint(0, USERS + 1, (N,)).tolist(),
    profile=[[int(torch.randint(0, size, (1,))) for size in PROFILE] for _ in range(N)],
    surfaces=torch.randint(0, SURFACES, (N,)).tolist(),
    hours=torch.randint(0, 24, (N,)).tolist(),
    weekdays=torch.randint(0, 7, (N,)).tolist(),
    numeric=rounded(N, USER_NUMERIC).tolist(),
    # Lists of different lengths, one of them empty, with repeats.
    recentItems=[[1, 2], [], [3, 3, 7], [5], [6, 1, 2, 4], [7]],
    recentCategories=[[1, 2], [], [0, 0, 1], [2], [0, 1, 2, 1], [1]],
    # Two rows of one item: an accidental hit in the batch softmax.
    items=[1, 2, 4, 2, 0, 7],
    categories=[1, 2, 1, 2, 0, 1],
    authors=[1, 0, 3, 0, 2, 3],
    durations=[0.5, 0.0, 0.8, 0.0, 0.9, 0.3],
    ages=[0.1, 0.4, 0.2, 0.4, 0.7, 0.6],
)
tables = {"user": (USERS + 1, WIDTHS["user"]), "item": (ITEMS + 1, WIDTHS["item"])}
tables |= {"category": (CATEGORIES, WIDTHS["category"]), "author": (AUTHORS, WIDTHS["author"])}
tables |= {f"profile.{i}": (size, WIDTHS["small"]) for i, size in enumerate(PROFILE)}


def dense(name, inputs, outputs):
    return {f"{name}.weight": (inputs, outputs), f"{name}.bias": (1, outputs)}


def layer(p, name, x, relu):
    y = x @ p[f"{name}.weight"] + p[f"{name}.bias"]
    return torch.relu(y) if relu else y


def tower(p, name, x):
    return layer(p, f"{name}.1", layer(p, f"{name}.0", x, True), False)


def embedded(table, rows):
    """Row 0, the unknown value, has no gradient."""
    return torch.nn.functional.embedding(torch.tensor(rows), table, padding_idx=0)


def pooled(table, lists):
    return torch.stack([embedded(table, rows).mean(0) if rows else torch.zeros(table.shape[1]) for rows in lists])


def profile(p):
    return [embedded(p[f"profile.{i}"], [row[i] for row in inputs["profile"]]) for i in range(len(PROFILE))]


def column(name):
    return torch.tensor(inputs[name]).unsqueeze(1)


def two_tower():
    width = WIDTHS["user"] + 2 * WIDTHS["small"] + WIDTHS["item"] + WIDTHS["category"]
    shapes = dict(tables) | dense("user.0", width, 6) | dense("user.1", 6, 4)
    item = WIDTHS["item"] + WIDTHS["category"] + WIDTHS["author"] + 2
    shapes |= dense("item.0", item, 5) | dense("item.1", 5, 4)
    p = {name: rounded(*shape).requires_grad_() for name, shape in shapes.items()}
    u = torch.cat(
        [embedded(p["user"], inputs["users"]), *profile(p), pooled(p["item"], inputs["recentItems"]),
         pooled(p["category"], inputs["recentCategories"])], 1)
    i = torch.cat(
        [embedded(p["item"], inputs["items"]), embedded(p["category"], inputs["categories"]),
         embedded(p["author"], inputs["authors"]),
         column("durations"), column("ages")], 1)
    a = torch.nn.functional.normalize(tower(p, "user", u))
    b = torch.nn.functional.normalize(tower(p, "item", i))
    frequencies = torch.tensor([-1.5, -2.0, -0.5, -2.0, -3.0, -2.5])
    logits = a @ b.T / 0.2 - frequencies
    items = torch.tensor(inputs["items"])
    same = (items.unsqueeze(0) == items.unsqueeze(1)) & ~torch.eye(N, dtype=torch.bool)
    loss = torch.nn.functional.cross_entropy(logits.masked_fill(same, -torch.inf), torch.arange(N))
    loss.backward()
    return dict(loss=loss.item(), logProbabilities=frequencies.tolist(), **gradients(p))


def three_tower():
    cross = 3
    small = WIDTHS["small"]
    shapes = dict(tables) | {"surface": (SURFACES, small), "hour": (24, small), "weekday": (7, small)}
    width = WIDTHS["user"] + 2 * small + 3 * small + WIDTHS["item"] + WIDTHS["category"] + USER_NUMERIC
    item = WIDTHS["item"] + WIDTHS["category"] + WIDTHS["author"] + 1
    shapes |= dense("user.0", width, 6) | dense("user.1", 6, 4) | dense("item.0", item, 5) | dense("item.1", 5, 3)
    shapes |= dense("cross", cross, 4) | dense("head", 4 + 3 + 4, 5)
    shapes |= dense("click", 5 + cross, 1) | dense("watch", 5 + cross, 1)
    p = {name: rounded(*shape).requires_grad_() for name, shape in shapes.items()}
    u = torch.cat(
        [embedded(p["user"], inputs["users"]), *profile(p), embedded(p["surface"], inputs["surfaces"]),
         p["hour"][inputs["hours"]], p["weekday"][inputs["weekdays"]], pooled(p["item"], inputs["recentItems"]),
         pooled(p["category"], inputs["recentCategories"]), torch.tensor(inputs["numeric"])], 1)
    i = torch.cat(
        [embedded(p["item"], inputs["items"]), embedded(p["category"], inputs["categories"]),
         embedded(p["author"], inputs["authors"]),
         column("durations")], 1)
    x = rounded(N, cross)
    clicks = torch.tensor([1.0, 0, 1, 0, 0, 1])
    seconds = torch.tensor([12.0, 0, 0, 0, 0, 3.5])
    mixed = layer(p, "head", torch.cat([tower(p, "user", u), tower(p, "item", i), layer(p, "cross", x, True)], 1), True)
    both = torch.cat([mixed, x], 1)
    z_click, z_watch = layer(p, "click", both, False).squeeze(1), layer(p, "watch", both, False).squeeze(1)
    click = torch.nn.functional.binary_cross_entropy_with_logits(z_click, clicks)
    # Covington et al. 2016: -(t / (1 + t)) log p - (1 / (1 + t)) log(1 - p)
    share = torch.sigmoid(z_watch)
    watch = -((seconds / (1 + seconds)) * share.log() + (1 / (1 + seconds)) * (1 - share).log()).mean()
    loss = click + 0.5 * watch
    loss.backward()
    return dict(
        loss=loss.item(), clickLoss=click.item(), features=x.flatten().tolist(), clicks=[c > 0 for c in clicks.tolist()],
        seconds=seconds.tolist(), clickLogits=values(z_click), watchLogits=values(z_watch), **gradients(p))


def gradients(p):
    return dict(
        parameters={name: values(t) for name, t in p.items()}, gradients={name: values(t.grad) for name, t in p.items()})


path = pathlib.Path(__file__).with_name("models.json")
path.write_text(json.dumps(dict(inputs=inputs, twoTower=two_tower(), threeTower=three_tower())) + "\n")
