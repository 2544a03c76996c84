#!/usr/bin/env python3
"""Writes golden/blocks.safetensors, what PyTorch computes for the operations and blocks of ranking models.

    pip install torch safetensors numpy
    python3 Tests/NetworksTests/make_blocks.py

As in make_golden.py, everything is computed in float64 and stored as float32, and what is differentiated is
sum(y * upstream). Parameters are stored under the names the blocks give them.
"""
import os

import numpy as np
import torch
import torch.nn.functional as F
from make_golden import FILES, HERE, differentiate, leaf, rounded, save
from safetensors.numpy import save_file

torch.manual_seed(21)


def layers(p, name, x, last=None, gates=()):
    """An MLP of the parameters <name>.0, <name>.1 ...: ReLU between layers."""
    count = sum(1 for key in p if key.startswith(name + ".") and key.endswith(".weight"))
    for index in range(count):
        x = x @ p[f"{name}.{index}.weight"] + p[f"{name}.{index}.bias"]
        if index < count - 1:
            x = torch.relu(x)
        elif last is not None:
            x = last(x)
        if index < len(gates):
            x = x * gates[index]
    return x


def dense(name, inputs, outputs):
    return {f"{name}.weight": leaf(inputs, outputs, scale=inputs**-0.5), f"{name}.bias": leaf(1, outputs, scale=0.3)}


def linear(p, name, x):
    return x @ p[f"{name}.weight"] + p[f"{name}.bias"]


def operations():
    a, b, c = leaf(5, 9), leaf(5, 9), leaf(5, 9)
    save("subtract", differentiate(a - b, {"a": a, "b": b}), "blocks")
    save("multiplyAdd", differentiate(a * b + c, {"a": a, "b": b, "c": c}), "blocks")
    x = leaf(7, 5, scale=2)
    save("softmaxRows", differentiate(torch.softmax(x, 1), {"x": x}), "blocks")
    x = leaf(4, 5, scale=1)
    mask = torch.tensor([[1, 1, 0, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0.0]])
    kept = torch.softmax(x, 1) * mask
    y = kept / kept.sum(1, keepdim=True)
    save("renormalized", {**differentiate(y, {"x": x}), "mask": mask}, "blocks")
    parts, weights = [leaf(6, 7) for _ in range(3)], leaf(6, 3)
    y = sum(weights[:, e : e + 1] * parts[e] for e in range(3))
    save("mixture", differentiate(y, {"weights": weights, **{f"part{e}": parts[e] for e in range(3)}}), "blocks")

    widths = [3, 5, 1, 4]
    x, w = leaf(6, sum(widths)), leaf(6, len(widths))
    fields = torch.split(x, widths, 1)
    save("fieldMeans", differentiate(torch.stack([f.mean(1) for f in fields], 1), {"x": x}), "blocks")
    y = torch.cat([w[:, i : i + 1] * f for i, f in enumerate(fields)], 1)
    save("scaleFields", differentiate(y, {"x": x, "w": w}), "blocks")
    x = leaf(6, 20)
    v = x.reshape(6, 5, 4)
    y = sum((v[:, i] * v[:, j]).sum(1, keepdim=True) for i in range(5) for j in range(i + 1, 5))
    save("pairwiseSum", differentiate(y, {"x": x}), "blocks")
    x, f = leaf(6, 3), leaf(3, 4)
    save("embedNumbers", differentiate((x[:, :, None] * f[None]).reshape(6, 12), {"x": x, "factors": f}), "blocks")

    x, scale, shift = leaf(8, 5), leaf(1, 5), leaf(1, 5)
    mean, variance = torch.zeros(5), torch.ones(5)
    y = F.batch_norm(x, mean, variance, scale[0], shift[0], training=True, momentum=0.1, eps=1e-5)
    served = F.batch_norm(x, mean, variance, scale[0], shift[0], training=False, eps=1e-5)
    leaves = {"x": x, "norm.scale": scale, "norm.shift": shift}
    save("batchNorm", {**differentiate(y, leaves), "mean": mean, "variance": variance, "served": served}, "blocks")


# Queries with 3, 0, 1 and 5 keys.
OFFSETS = [0, 3, 3, 4, 9]


def spread(q):
    """A query for each of its keys."""
    return torch.cat([q[i : i + 1].expand(OFFSETS[i + 1] - OFFSETS[i], -1) for i in range(4)])


def segments(f, *tensors):
    """f of the rows of each query."""
    return [f(*(t[OFFSETS[i] : OFFSETS[i + 1]] for t in tensors)) for i in range(4)]


def attention():
    offsets = {"offsets": np.array(OFFSETS)}
    q, k, w = leaf(4, 6), leaf(9, 6), leaf(9, 1)
    y = 0.5 * (spread(q) * k).sum(1, keepdim=True)
    save("pairDot", {**differentiate(y, {"q": q, "k": k}), **offsets}, "blocks")
    y = torch.cat(segments(lambda s: torch.softmax(s, 0), w))
    save("pairSoftmax", {**differentiate(y, {"w": w}), **offsets}, "blocks")
    y = torch.stack(segments(lambda s, v: (s * v).sum(0), w, k))
    save("pairSum", {**differentiate(y, {"w": w, "k": k}), **offsets}, "blocks")
    y = torch.stack(segments(lambda v: v.sum(0) / max(1, len(v)), k))
    save("pairMean", {**differentiate(y, {"k": k}), **offsets}, "blocks")

    # Four queries over the same three keys.
    shared = leaf(3, 6)
    y = (q @ shared.T).reshape(12, 1)
    save("pairDot-shared", differentiate(y, {"q": q, "k": shared}), "blocks")
    w = leaf(12, 1)
    y = w.reshape(4, 3) @ shared
    save("pairSum-shared", differentiate(y, {"w": w, "k": shared}), "blocks")

    for name, extra in (("pairLinear", 0), ("pairLinear-extra", 2)):
        q, k = leaf(4, 6), leaf(9, 6 + extra)
        p = dense("layer", 24 + extra, 5)
        rows = spread(q)
        x = torch.cat([rows, k[:, :6], rows - k[:, :6], rows * k[:, :6], k[:, 6:]], 1)
        save(name, {**differentiate(torch.relu(linear(p, "layer", x)), {"q": q, "k": k, **p}), **offsets}, "blocks")
    # Enough queries for several blocks of the backward step.
    q, k = leaf(70, 6), leaf(3, 6)
    p = dense("layer", 24, 5)
    rows, keys = q.repeat_interleave(3, 0), k.repeat(70, 1)
    x = torch.cat([rows, keys, rows - keys, rows * keys], 1)
    y = torch.sigmoid(linear(p, "layer", x))
    save("pairLinear-shared", differentiate(y, {"q": q, "k": k, **p}), "blocks")


def blocks():
    offsets = {"offsets": np.array(OFFSETS)}
    x = leaf(6, 7)
    p = {}
    for index in range(3):
        p |= dense(f"cross.{index}", 7, 7)
    y = x
    for index in range(3):
        y = x * linear(p, f"cross.{index}", y) + y
    save("cross-full", differentiate(y, {"x": x, **p}), "blocks")
    p = {}
    for index in range(2):
        p |= {f"cross.{index}.reduction": leaf(7, 3, scale=0.4), **dense(f"cross.{index}", 3, 7)}
    y = x
    for index in range(2):
        y = x * linear(p, f"cross.{index}", y @ p[f"cross.{index}.reduction"]) + y
    save("cross-low", differentiate(y, {"x": x, **p}), "blocks")

    widths = [3, 5, 1, 4]
    x = leaf(6, sum(widths))

    def excited(p, name):
        fields = torch.split(x, widths, 1)
        means = torch.stack([f.mean(1) for f in fields], 1)
        w = torch.sigmoid(linear(p, name + ".excite", torch.relu(linear(p, name + ".squeeze", means))))
        return torch.cat([w[:, i : i + 1] * f for i, f in enumerate(fields)], 1)

    p = {**dense("senet.squeeze", 4, 2), **dense("senet.excite", 2, 4)}
    save("senet", differentiate(excited(p, "senet"), {"x": x, **p}), "blocks")

    def crossed(p, name, x, pairs, form):
        fields = torch.split(x, widths, 1)
        result = []
        for i, j in pairs:
            # W_ij is stored transposed.
            turned = torch.einsum("ab,nb->na", p[f"{name}.{i}.{j}"].T, fields[j])
            y = fields[i] * turned
            result.append(y.sum(1, keepdim=True) if form == "product" else y)
        return torch.cat(result, 1)

    def weights(name, pairs):
        return {f"{name}.{i}.{j}": leaf(widths[j], widths[i], scale=0.5) for i, j in pairs}

    every = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    for form in ("product", "elementwise"):
        p = weights("bilinear", every)
        save("bilinear-" + form, differentiate(crossed(p, "bilinear", x, every, form), {"x": x, **p}), "blocks")
    chosen = [(0, 1), (3, 1), (2, 0)]
    p = weights("bilinear", chosen)
    save("bilinear-chosen", differentiate(crossed(p, "bilinear", x, chosen, "elementwise"), {"x": x, **p}), "blocks")
    p = {**dense("fibinet.senet.squeeze", 4, 2), **dense("fibinet.senet.excite", 2, 4)}
    p |= {**weights("fibinet.plain", chosen), **weights("fibinet.weighted", chosen)}
    y = torch.cat(
        [
            crossed(p, "fibinet.plain", x, chosen, "elementwise"),
            crossed(p, "fibinet.weighted", excited(p, "fibinet.senet"), chosen, "elementwise"),
        ],
        1,
    )
    save("fibinet", differentiate(y, {"x": x, **p}), "blocks")

    # Two categorical fields and three numbers, by the definition's double sum.
    w1, w2, v1, v2, x = leaf(6, 1), leaf(6, 1), leaf(6, 4), leaf(6, 4), leaf(6, 3)
    p = {"fm.bias": leaf(1, 1), "fm.weights": leaf(3, 1), "fm.factors": leaf(3, 4)}
    v = [v1, v2] + [x[:, i : i + 1] * p["fm.factors"][i] for i in range(3)]
    pairs = sum((v[i] * v[j]).sum(1, keepdim=True) for i in range(5) for j in range(i + 1, 5))
    y = p["fm.bias"] + w1 + w2 + x @ p["fm.weights"] + pairs
    save("fm", differentiate(y, {"w1": w1, "w2": w2, "v1": v1, "v2": v2, "x": x, **p}), "blocks")

    x, user = leaf(6, 7), leaf(6, 4)
    p = {**dense("mlp.0", 7, 8), **dense("mlp.1", 8, 5), **dense("mlp.2", 5, 3)}
    p |= {**dense("gates.hidden", 4, 6), **dense("gates.0", 6, 8), **dense("gates.1", 6, 5)}
    hidden = torch.relu(linear(p, "gates.hidden", user))
    gates = [2 * torch.sigmoid(linear(p, f"gates.{i}", hidden)) for i in range(2)]
    save("personal", differentiate(layers(p, "mlp", x, gates=gates), {"x": x, "user": user, **p}), "blocks")

    x = leaf(6, 7)
    p = {}
    for e in range(4):
        p |= {**dense(f"moe.expert.{e}.0", 7, 8), **dense(f"moe.expert.{e}.1", 8, 5)}
    for k in range(2):
        p |= dense(f"moe.gate.{k}", 7, 4)
    experts = [layers(p, f"moe.expert.{e}", x, torch.relu) for e in range(4)]
    gates = [torch.softmax(linear(p, f"moe.gate.{k}", x), 1) for k in range(2)]
    y = torch.cat([sum(g[:, e : e + 1] * experts[e] for e in range(4)) for g in gates], 1)
    entropy = torch.stack([-(g * g.log()).sum(1).mean() for g in gates]).reshape(1, 2)
    means = torch.stack([g.mean(0) for g in gates])
    save("mmoe", {**differentiate(y, {"x": x, **p}), "entropy": entropy, "means": means}, "blocks")

    p = {}
    tasks, own, common = 2, 2, 1
    for level, inputs in enumerate([7, 6]):
        for k in range(tasks):
            for e in range(own):
                p |= dense(f"ple.{level}.task.{k}.{e}.0", inputs, 6)
            p |= dense(f"ple.{level}.gate.{k}", inputs, own + common)
        p |= dense(f"ple.{level}.shared.0.0", inputs, 6)
    p |= dense("ple.0.gate.shared", 7, tasks * own + common)
    state, shared = [x, x], x
    for level in range(2):
        experts = [[layers(p, f"ple.{level}.task.{k}.{e}", state[k], torch.relu) for e in range(own)] for k in range(tasks)]
        joint = [layers(p, f"ple.{level}.shared.0", shared, torch.relu)]
        after = []
        for k in range(tasks):
            g = torch.softmax(linear(p, f"ple.{level}.gate.{k}", state[k]), 1)
            after.append(sum(g[:, e : e + 1] * part for e, part in enumerate(experts[k] + joint)))
        if level == 0:
            g = torch.softmax(linear(p, "ple.0.gate.shared", shared), 1)
            shared = sum(g[:, e : e + 1] * part for e, part in enumerate(experts[0] + experts[1] + joint))
        state = after
    save("ple", differentiate(torch.cat(state, 1), {"x": x, **p}), "blocks")

    q, k = leaf(4, 6), leaf(9, 8)
    rows = spread(q)
    p = {**dense("din.0", 26, 5), **dense("din.out.0", 5, 4), **dense("din.out.1", 4, 1)}
    x = torch.cat([rows, k[:, :6], rows - k[:, :6], rows * k[:, :6], k[:, 6:]], 1)
    w = layers(p, "din.out", torch.relu(linear(p, "din.0", x)))
    y = torch.stack(segments(lambda s, v: (s * v).sum(0), w, k))
    save("din", {**differentiate(y, {"q": q, "k": k, **p}), **offsets}, "blocks")
    p = {"attention.query": leaf(6, 5, scale=0.5), "attention.key": leaf(8, 5, scale=0.5)}
    w = (spread(q) @ p["attention.query"] * (k @ p["attention.key"])).sum(1, keepdim=True) / 5**0.5
    y = torch.stack(segments(lambda s, v: (torch.softmax(s, 0) * v).sum(0), w, k))
    save("attention", {**differentiate(y, {"q": q, "k": k, **p}), **offsets}, "blocks")


if __name__ == "__main__":
    operations()
    attention()
    blocks()
    path = os.path.join(HERE, "blocks.safetensors")
    save_file(FILES["blocks"], path)
    os.chmod(path, 0o644)
