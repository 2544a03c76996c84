#!/usr/bin/env python3
"""Writes golden/*.safetensors, what PyTorch computes for every operation, optimizer and a small training run.

    pip install torch safetensors numpy
    python3 Tests/NetworksTests/make_golden.py

Operations run in float64, so that the stored numbers carry no rounding of their own; everything is stored as float32.
For an operation, the scalar that is differentiated is sum(y * upstream).
"""
import os

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
torch.manual_seed(20)
torch.set_default_dtype(torch.float64)


def rounded(*shape, scale=1.0):
    """Random values that float32 holds exactly."""
    return (torch.randn(*shape) * scale).float().double()


FILES = {}


def save(name, tensors, file="operations"):
    """Stores tensors as <name>/<key>."""
    for key, value in tensors.items():
        array = value.detach().numpy() if torch.is_tensor(value) else np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        FILES.setdefault(file, {})[name + "/" + key] = np.ascontiguousarray(array)


def differentiate(y, leaves):
    """The upstream weights, and the gradient of sum(y * upstream) by each leaf."""
    upstream = rounded(*y.shape)
    gradients = torch.autograd.grad((y * upstream).sum(), list(leaves.values()), allow_unused=False)
    result = {"y": y, "upstream": upstream}
    for (name, leaf), gradient in zip(leaves.items(), gradients):
        result[name] = leaf
        result["grad." + name] = gradient
    return result


def leaf(*shape, scale=1.0):
    return rounded(*shape, scale=scale).requires_grad_()


ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": torch.relu,
    "leakyReLU": lambda x: F.leaky_relu(x, 0.01),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "twiceSigmoid": lambda x: 2 * torch.sigmoid(x),
}


def operations():
    for name, f in ACTIVATIONS.items():
        x, w, b = leaf(9, 7), leaf(7, 33, scale=0.4), leaf(1, 33)
        save("linear-" + name, differentiate(f(x @ w + b), {"x": x, "weight": w, "bias": b}))
        x = leaf(5, 9, scale=2)
        save("activate-" + name, differentiate(f(x), {"x": x}))
    x, w, b = leaf(65, 31), leaf(31, 1, scale=0.3), leaf(1, 1)
    save("linear-column", differentiate(torch.sigmoid(x @ w + b), {"x": x, "weight": w, "bias": b}))
    user, item, cross = leaf(1, 5), leaf(8, 6), leaf(8, 3)
    w, b = leaf(14, 17, scale=0.3), leaf(1, 17)
    whole = torch.cat([user.expand(8, 5), item, cross], 1)
    leaves = {"user": user, "item": item, "cross": cross, "weight": w, "bias": b}
    save("linear-parts", differentiate(torch.relu(whole @ w + b), leaves))

    table = leaf(11, 9)
    rows = torch.tensor([3, 0, 10, 3, 3, 7])
    save("lookup", {**differentiate(F.embedding(rows, table), {"table": table}), "rows": rows.numpy().astype(np.uint32)})
    table = leaf(11, 9)
    rows = torch.tensor([3, 0, 10, 3, 0, 7])
    y = F.embedding(rows, table, padding_idx=3)
    save("padded", {**differentiate(y, {"table": table}), "rows": rows.numpy().astype(np.uint32)})
    for mode in ("sum", "mean"):
        table = leaf(11, 9)
        rows = torch.tensor([1, 2, 3, 9, 9, 2, 0, 10, 4])
        offsets = torch.tensor([0, 3, 3, 4, 9])  # the second list is empty
        y = F.embedding_bag(rows, table, offsets, mode=mode, include_last_offset=True)
        extra = {"rows": rows.numpy().astype(np.uint32), "offsets": offsets.numpy()}
        save("pooled-" + mode, {**differentiate(y, {"table": table}), **extra})

    a, b = leaf(5, 9), leaf(5, 9)
    save("add", differentiate(a + b, {"a": a, "b": b}))
    save("multiply", differentiate(a * b, {"a": a, "b": b}))
    save("square", differentiate(a * a, {"a": a}))
    save("scale", differentiate(-2.5 * a, {"a": a}))
    save("rowDot", differentiate((a * b).sum(1, keepdim=True), {"a": a, "b": b}))
    save("normalizeRows", differentiate(F.normalize(a, dim=1), {"a": a}))
    c = leaf(5, 4)
    save("concatenate", differentiate(torch.cat([a, c, b], 1), {"a": a, "b": b, "c": c}))
    save("columns", differentiate(a[:, 2:7], {"a": a}))
    rows = torch.tensor([4, 1, 1, 0, 4, 4, 2])
    save("rows", {**differentiate(a[rows], {"a": a}), "rows": rows.numpy().astype(np.uint32)})
    d = leaf(13, 9)
    save("product", differentiate(a @ d.T, {"a": a, "d": d}))
    scale, shift = leaf(1, 9), leaf(1, 9)
    y = F.layer_norm(a, (9,), scale[0], shift[0], eps=1e-5)
    save("layerNorm", differentiate(y, {"a": a, "scale": scale, "shift": shift}))


def losses():
    logits = leaf(6, 9, scale=3)
    targets = torch.tensor([0, 8, 3, 3, 1, 5])
    weights = torch.tensor([1.0, 0.5, 0.0, 2.0, 1.0, 0.25])
    log_p = torch.log_softmax(rounded(9), 0).float().double()
    identities = torch.tensor([7, 1, 2, 5, 7, 5, 1, 9, 7])
    extra = {"targets": targets, "weights": weights, "logProbabilities": log_p, "identities": identities}
    save("softmax-plain", {**differentiate(F.cross_entropy(logits, targets).reshape(1, 1), {"logits": logits}), **extra})
    masked = (logits - log_p).clone()
    for row in range(6):
        for column in range(9):
            if column != targets[row] and identities[column] == identities[targets[row]]:
                masked[row, column] = -torch.inf
    each = F.cross_entropy(masked, targets, reduction="none")
    y = ((each * weights).sum() / weights.sum()).reshape(1, 1)
    save("softmax-corrected", {**differentiate(y, {"logits": logits}), **extra})

    z = leaf(9, 1, scale=3)
    labels = torch.tensor([0, 1, 0.25, 1, 0, 0, 1, 0.5, 1.0])
    weights = rounded(9).abs()
    y = F.binary_cross_entropy_with_logits(z[:, 0], labels).reshape(1, 1)
    save("sigmoid-plain", {**differentiate(y, {"z": z}), "labels": labels})
    each = F.binary_cross_entropy_with_logits(z[:, 0], labels, reduction="none")
    y = ((each * weights).sum() / weights.sum()).reshape(1, 1)
    save("sigmoid-weighted", {**differentiate(y, {"z": z}), "labels": labels, "weights": weights})
    seconds = torch.tensor([0, 0, 3.5, 120, 0, 1, 17, 600, 0.25])
    p = torch.sigmoid(z[:, 0])
    y = -(seconds / (1 + seconds) * torch.log(p) + 1 / (1 + seconds) * torch.log(1 - p)).mean().reshape(1, 1)
    save("watchTime", {**differentiate(y, {"z": z}), "seconds": seconds})


def optimizers():
    """Five steps from given gradients; rows of the sparse ones touched now and then."""
    start = rounded(6, 5)
    gradients = [rounded(6, 5) for _ in range(5)]
    rows = [[0, 2], [2, 5], [1], [0, 2, 5], [3, 0]]

    def run(make, sparse=False, clip=None):
        w = torch.nn.Parameter(start.clone())
        optimizer = make([w])
        after = []
        for gradient, touched in zip(gradients, rows):
            if sparse:
                w.grad = torch.sparse_coo_tensor(torch.tensor([touched]), gradient[touched], (6, 5)).coalesce()
            else:
                w.grad = gradient.clone()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_([w], clip)
            optimizer.step()
            after.append(w.detach().clone())
        return torch.stack(after).reshape(30, 5)

    adam = dict(lr=0.03, betas=(0.8, 0.99), eps=1e-6)
    adagrad = dict(lr=0.2, initial_accumulator_value=0.1, eps=1e-6)
    save(
        "optimizers",
        {
            "start": start,
            "gradients": torch.stack(gradients).reshape(30, 5),
            "touched": np.array([[1 if r in t else 0 for r in range(6)] for t in rows], np.uint32),
            "adam": run(lambda p: torch.optim.Adam(p, **adam)),
            "adamw": run(lambda p: torch.optim.AdamW(p, weight_decay=0.1, **adam)),
            "adam-clipped": run(lambda p: torch.optim.Adam(p, **adam), clip=3.0),
            "adagrad": run(lambda p: torch.optim.Adagrad(p, **adagrad)),
            "adam-sparse": run(lambda p: torch.optim.SparseAdam(p, **adam), sparse=True),
            "adagrad-sparse": run(lambda p: torch.optim.Adagrad(p, **adagrad), sparse=True),
        },
        file="optimizers",
    )


def training():
    """Twelve steps of a small two-tower model: tables by Adagrad, layers by Adam, in-batch softmax, float32."""
    torch.set_default_dtype(torch.float32)
    generator = torch.Generator().manual_seed(3)

    def random(*shape, scale=1.0):
        return torch.nn.Parameter(torch.randn(*shape, generator=generator) * scale)

    parameters = {
        "user": random(20, 8, scale=0.3),
        "item": random(30, 8, scale=0.3),
        "tower.0.weight": random(16, 16, scale=0.3),
        "tower.0.bias": random(1, 16, scale=0.1),
        "tower.1.weight": random(16, 8, scale=0.3),
        "tower.1.bias": random(1, 8, scale=0.1),
        "head.weight": random(8, 8, scale=0.3),
        "head.bias": random(1, 8, scale=0.1),
    }
    stored = {"start." + name: value.detach().clone() for name, value in parameters.items()}
    tables = torch.optim.Adagrad([parameters["user"], parameters["item"]], lr=0.05, initial_accumulator_value=0.1, eps=1e-8)
    dense = torch.optim.Adam([p for n, p in parameters.items() if n not in ("user", "item")], lr=0.01)
    steps, batch, history = 12, 16, 5
    users = torch.randint(0, 20, (steps, batch), generator=generator)
    items = torch.randint(0, 30, (steps, batch), generator=generator)
    recent = torch.randint(0, 30, (steps, batch * history), generator=generator)
    offsets = torch.arange(0, batch * history + 1, history)
    losses = []
    for step in range(steps):
        pooled = F.embedding_bag(recent[step], parameters["item"], offsets, mode="mean", include_last_offset=True)
        x = torch.cat([parameters["user"][users[step]], pooled], 1)
        x = torch.relu(x @ parameters["tower.0.weight"] + parameters["tower.0.bias"])
        a = F.normalize(x @ parameters["tower.1.weight"] + parameters["tower.1.bias"], dim=1)
        b = F.normalize(parameters["item"][items[step]] @ parameters["head.weight"] + parameters["head.bias"], dim=1)
        loss = F.cross_entropy(a @ b.T / 0.1, torch.arange(batch))
        tables.zero_grad()
        dense.zero_grad()
        loss.backward()
        tables.step()
        dense.step()
        losses.append(loss.detach())
    stored.update({"end." + name: value for name, value in parameters.items()})
    stored.update({"losses": torch.stack(losses), "users": users.numpy().astype(np.uint32)})
    stored.update({"items": items.numpy().astype(np.uint32), "recent": recent.numpy().astype(np.uint32)})
    save("training", stored, file="training")


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    operations()
    losses()
    optimizers()
    training()
    for name, arrays in FILES.items():
        path = os.path.join(HERE, name + ".safetensors")
        save_file(arrays, path)
        os.chmod(path, 0o644)
