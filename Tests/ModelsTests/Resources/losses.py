"""Every loss of the two-tower model with all its gradients, by PyTorch's autograd. Writes losses.json beside this file.

Run: python3 Tests/ModelsTests/Resources/losses.py   (needs torch)
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(20261125)
torch.set_default_dtype(torch.float64)
N, M, SHARED = 6, 14, 3
USERS, ITEMS, CATEGORIES, AUTHORS, PROFILE = 3, 7, 3, 4, [3, 4]
WIDTHS = dict(user=3, item=4, category=2, author=3, small=2)
TEMPERATURE, MARGIN, SIGMA = 0.2, 0.3, 4.0


def values(tensor):
    return [round(v, 7) for v in tensor.detach().flatten().tolist()]


def rounded(*shape):
    return (torch.randn(*shape) * 0.5 * 1000).round() / 1000


inputs = dict(
    users=torch.randint(0, USERS + 1, (N,)).tolist(),
    profile=[[int(torch.randint(0, size, (1,))) for size in PROFILE] for _ in range(N)],
    recentItems=[[1, 2], [], [3, 3, 7], [5], [6, 1, 2, 4], [7]],
    recentCategories=[[1, 2], [], [0, 0, 1], [2], [0, 1, 2, 1], [1]],
    # The first six were clicked, two of them the same item; then three for everyone, then others.
    items=[1, 2, 4, 2, 6, 7, 2, 5, 3, 1, 5, 6, 3, 7],
    categories=[1, 2, 1, 2, 0, 1, 2, 2, 1, 1, 2, 0, 1, 1],
    authors=[1, 0, 3, 0, 2, 3, 0, 1, 2, 1, 1, 2, 2, 3],
    durations=(torch.rand(M) * 100).round().div(100).tolist(),
    ages=(torch.rand(M) * 100).round().div(100).tolist(),
)
# Rows of `items` that stand against one user; -1 where there is none. Row 1's second is the item that it clicked.
own = [[9, 10], [11, 6], [-1, -1], [12, -1], [13, 9], [10, 0]]
own_log_weights = rounded(N, 2)
log_p = torch.log_softmax(rounded(M) * 2, 0).mul(1000).round().div(1000)

tables = {"user": (USERS + 1, WIDTHS["user"]), "item": (ITEMS + 1, WIDTHS["item"])}
tables |= {"category": (CATEGORIES, WIDTHS["category"]), "author": (AUTHORS, WIDTHS["author"])}
tables |= {f"profile.{i}": (size, WIDTHS["small"]) for i, size in enumerate(PROFILE)}


def dense(name, inputs, outputs):
    return {f"{name}.weight": (inputs, outputs), f"{name}.bias": (1, outputs)}


def tower(p, name, x):
    hidden = torch.relu(x @ p[f"{name}.0.weight"] + p[f"{name}.0.bias"])
    return F.normalize(hidden @ p[f"{name}.1.weight"] + p[f"{name}.1.bias"])


def embedded(table, rows):
    return F.embedding(torch.tensor(rows), table, padding_idx=0)


def pooled(table, lists):
    return torch.stack([embedded(table, rows).mean(0) if rows else torch.zeros(table.shape[1]) for rows in lists])


def column(name):
    return torch.tensor(inputs[name]).unsqueeze(1)


width = WIDTHS["user"] + 2 * WIDTHS["small"] + WIDTHS["item"] + WIDTHS["category"]
shapes = dict(tables) | dense("user.0", width, 6) | dense("user.1", 6, 4)
shapes |= dense("item.0", WIDTHS["item"] + WIDTHS["category"] + WIDTHS["author"] + 2, 5) | dense("item.1", 5, 4)
parameters = {name: rounded(*shape) for name, shape in shapes.items()}


def towers(p):
    profile = [embedded(p[f"profile.{i}"], [row[i] for row in inputs["profile"]]) for i in range(len(PROFILE))]
    a = tower(p, "user", torch.cat(
        [embedded(p["user"], inputs["users"]), *profile, pooled(p["item"], inputs["recentItems"]),
         pooled(p["category"], inputs["recentCategories"])], 1))
    b = tower(p, "item", torch.cat(
        [embedded(p["item"], inputs["items"]), embedded(p["category"], inputs["categories"]),
         embedded(p["author"], inputs["authors"]), column("durations"), column("ages")], 1))
    return a, b


def own_pairs():
    """(user, row of items) of every own negative that is one."""
    for user, rows in enumerate(own):
        for place, row in enumerate(rows):
            if row >= 0 and inputs["items"][row] != inputs["items"][user]:
                yield user, place, row


def listwise(a, b, in_batch):
    """-log of the clicked item's share among everything that stands against the user, written out."""
    total = []
    for user in range(N):
        def logit(row):
            return a[user] @ b[row] / TEMPERATURE - log_p[row]
        against = list(range(N)) if in_batch else []
        terms = [logit(row) for row in against + list(range(N, N + SHARED))
                 if inputs["items"][row] != inputs["items"][user]]
        terms += [logit(row) + own_log_weights[user, place] for u, place, row in own_pairs() if u == user]
        total.append(torch.logsumexp(torch.stack([logit(user), *terms]), 0) - logit(user))
    return torch.stack(total).mean()


def pairwise(a, b, f):
    return torch.stack([f(a[user] @ b[row] - a[user] @ b[user]) for user, _, row in own_pairs()]).mean()


def pointwise(a, b):
    logits = [(a[user] @ b[user] / TEMPERATURE, 1.0) for user in range(N)]
    logits += [(a[user] @ b[row] / TEMPERATURE, 0.0) for user, _, row in own_pairs()]
    z, labels = torch.stack([z for z, _ in logits]), torch.tensor([label for _, label in logits])
    return F.binary_cross_entropy_with_logits(z, labels)


LOSSES = dict(
    listwise=lambda a, b: listwise(a, b, True),
    listwise_global=lambda a, b: listwise(a, b, False),
    pointwise=pointwise,
    hinge=lambda a, b: pairwise(a, b, lambda x: torch.relu(x + MARGIN)),
    logistic=lambda a, b: pairwise(a, b, lambda x: F.softplus(SIGMA * x)),
)


def run(loss):
    p = {name: tensor.clone().requires_grad_() for name, tensor in parameters.items()}
    result = loss(*towers(p))
    gradients = torch.autograd.grad(result, list(p.values()))
    return dict(loss=result.item(), gradients={name: values(g) for name, g in zip(p, gradients)})


# Every field that a tower can have, for the listwise loss and for the self-supervised one.
CITIES, TAGS, BUCKETS = 3, 5, dict(duration=16, age=16, quality=11, activity=16)
UNKNOWN_AGE = math.log(22) / 6
wide_inputs = dict(
    recentAuthors=[[1, 3], [], [0, 2, 2], [3], [1, 1, 2, 0], [2]],
    recentTags=[[1], [], [2, 3, 3, 4], [], [1, 2], [4]],
    likedItems=[[2], [], [7, 3], [], [6], [1, 1]],
    activities=[3, 0, 7, 15, 1, 2],
    cities=[1, 0, 2, 0, 1, 2, 0, 1, 2, 1, 1, 1, 2, 2],
    tags=[[1, 2], [3], [], [3], [4, 1, 2], [2], [3], [], [1], [1, 2], [], [4, 1, 2], [1], [2]],
    qualities=rounded(M).tolist(),
    durationBuckets=torch.randint(0, BUCKETS["duration"], (M,)).tolist(),
    ageBuckets=torch.randint(0, BUCKETS["age"], (M,)).tolist(),
    qualityBuckets=torch.randint(0, BUCKETS["quality"], (M,)).tolist(),
)
ATTRIBUTES = ["item", "category", "author", "city", "tags", "duration", "age", "quality"]
hidden = [[[a for a in ATTRIBUTES if torch.rand(1) < 0.4] for _ in range(M)] for _ in range(2)]
small, category = WIDTHS["small"], WIDTHS["category"]
wide_tables = tables | {"city": (CITIES, small), "tag": (TAGS, category)}
wide_tables |= {name: (size, small) for name, size in BUCKETS.items()}
wide_user = width + WIDTHS["author"] + category + WIDTHS["item"] + small
wide_item = WIDTHS["item"] + category + WIDTHS["author"] + small + category + 3 * small + 3
wide_shapes = wide_tables | dense("user.0", wide_user, 6) | dense("user.1", 6, 4)
wide_shapes |= dense("item.0", wide_item, 5) | dense("item.1", 5, 4)
wide_parameters = {name: rounded(*shape) for name, shape in wide_shapes.items()}


def wide_users(p):
    profile = [embedded(p[f"profile.{i}"], [row[i] for row in inputs["profile"]]) for i in range(len(PROFILE))]
    return tower(p, "user", torch.cat(
        [embedded(p["user"], inputs["users"]), *profile, pooled(p["item"], inputs["recentItems"]),
         pooled(p["category"], inputs["recentCategories"]), pooled(p["author"], wide_inputs["recentAuthors"]),
         pooled(p["tag"], wide_inputs["recentTags"]), pooled(p["item"], wide_inputs["likedItems"]),
         embedded(p["activity"], wide_inputs["activities"])], 1))


def wide_items(p, hidden):
    """What is hidden of an item is its unknown value: row 0, no tags, length 0, quality 0, an age of three weeks."""
    def known(name, values, unknown=0):
        return [unknown if name in hidden[row] else value for row, value in enumerate(values)]

    w = wide_inputs
    return tower(p, "item", torch.cat(
        [embedded(p["item"], known("item", inputs["items"])),
         embedded(p["category"], known("category", inputs["categories"])),
         embedded(p["author"], known("author", inputs["authors"])), embedded(p["city"], known("city", w["cities"])),
         pooled(p["tag"], known("tags", w["tags"], [])),
         embedded(p["duration"], known("duration", w["durationBuckets"])),
         embedded(p["age"], known("age", w["ageBuckets"])), embedded(p["quality"], known("quality", w["qualityBuckets"])),
         torch.tensor(known("duration", inputs["durations"])).unsqueeze(1),
         torch.tensor(known("age", inputs["ages"], UNKNOWN_AGE)).unsqueeze(1),
         torch.tensor(known("quality", w["qualities"])).unsqueeze(1)], 1))


def wide_listwise(p):
    a, b = wide_users(p), wide_items(p, [[]] * M)
    logits = a @ b.T / TEMPERATURE - log_p
    items = torch.tensor(inputs["items"])
    same = (items[:N].unsqueeze(1) == items.unsqueeze(0)) & ~torch.eye(N, M, dtype=torch.bool)
    return F.cross_entropy(logits.masked_fill(same, -torch.inf), torch.arange(N))


def self_supervised(p):
    b1, b2 = wide_items(p, hidden[0]), wide_items(p, hidden[1])
    items = torch.tensor(inputs["items"])
    same = (items.unsqueeze(1) == items.unsqueeze(0)) & ~torch.eye(M, dtype=torch.bool)
    return F.cross_entropy((b1 @ b2.T / TEMPERATURE).masked_fill(same, -torch.inf), torch.arange(M))


def run_wide(loss):
    p = {name: tensor.clone().requires_grad_() for name, tensor in wide_parameters.items()}
    result = loss(p)
    gradients = torch.autograd.grad(result, list(p.values()), allow_unused=True)
    return dict(loss=result.item(), gradients={name: values(g) for name, g in zip(p, gradients) if g is not None})


if __name__ == "__main__":
    path = pathlib.Path(__file__).with_name("losses.json")
    path.write_text(json.dumps(dict(
        inputs=inputs, own=own, ownLogWeights=values(own_log_weights), logProbabilities=values(log_p),
        temperature=TEMPERATURE, margin=MARGIN, sigma=SIGMA, shared=SHARED,
        parameters={name: values(tensor) for name, tensor in parameters.items()},
        losses={name: run(loss) for name, loss in LOSSES.items()},
        wide=dict(
            inputs=wide_inputs, hidden=hidden, parameters={n: values(t) for n, t in wide_parameters.items()},
            listwise=run_wide(wide_listwise), selfSupervised=run_wide(self_supervised)))) + "\n")
