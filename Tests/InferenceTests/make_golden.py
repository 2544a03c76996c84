#!/usr/bin/env python3
"""Writes golden/nets.safetensors: weights, inputs and what PyTorch computes for every net of the library.

    pip install torch safetensors numpy
    python3 Tests/InferenceTests/make_golden.py

Nets run in float64, so that the stored numbers carry no rounding of their own; everything is stored as float32. A layer's
weights are stored as [inputs, outputs], its bias as [1, outputs]. `<net>.y.int8` is what layers in bytes give: inputs rounded to 127
steps from a row's least to its greatest value, weights to 63 steps from zero to a column's greatest magnitude.
"""
import os

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
torch.manual_seed(31)
torch.set_default_dtype(torch.float64)

FILE = {}


MADE = {}
BYTES = False


def keep(name, value):
    FILE[name] = np.ascontiguousarray(value.detach().numpy().astype(np.float32))
    return value


def result(name, value):
    return keep(name + (".y.int8" if BYTES else ".y"), value)


def given(name, *shape, scale=1.0):
    """Random values that float32 holds exactly, the same whenever they are asked for."""
    if name not in MADE:
        MADE[name] = keep(name, (torch.randn(*shape) * scale).float().double())
    return MADE[name]


def byte_rows(x):
    low, high = x.amin(1, keepdim=True), x.amax(1, keepdim=True)
    step = (high - low) / 127
    return low + step * torch.round((x - low) / step)


def byte_columns(w):
    step = w.abs().amax(0, keepdim=True) / 63
    return step * torch.round(w / step)


class Layer:
    """y = f(x W + b); a bare matrix without a bias. A single output is never in bytes."""

    def __init__(self, name, inputs, outputs, activation=None, bias=True):
        self.weight = given(name + (".weight" if bias else ""), inputs, outputs, scale=1 / inputs**0.5)
        self.bias = given(name + ".bias", 1, outputs, scale=0.1) if bias else 0
        self.activation = activation or (lambda x: x)

    def __call__(self, x):
        if BYTES and self.weight.shape[1] > 1:
            return self.activation(byte_rows(x) @ byte_columns(self.weight) + self.bias)
        return self.activation(x @ self.weight + self.bias)


def chain(layers, x):
    for layer in layers:
        x = layer(x)
    return x


def dense():
    x = given("dense.x", 101, 37)
    layers = [
        Layer("dense.0", 37, 33, torch.relu), Layer("dense.1", 33, 20, torch.sigmoid), Layer("dense.2", 20, 1, torch.tanh),
    ]
    result("dense", chain(layers, x))
    # The first nine inputs are the same for all rows.
    same = given("dense.shared", 1, 9).expand(101, 9)
    result("dense.shared", chain(layers, torch.cat([same, x[:, 9:]], 1)))


def cross(name, width, rank):
    x = given(name + ".x", 55, width)
    state = x
    for index in range(3):
        inner = state
        if rank:
            inner = Layer(f"{name}.{index}.reduction", width, rank, bias=False)(state)
        state = x * Layer(f"{name}.{index}", rank or width, width)(inner) + state
    result(name, state)
    return state


def mixture(name, x, experts, widths, tasks):
    inputs = x.shape[1]
    layers = []
    for e in range(experts):
        sizes = [inputs, *widths]
        layers.append(
            [Layer(f"{name}.expert.{e}.{i}", sizes[i], sizes[i + 1], torch.relu) for i in range(len(widths))])
    values = torch.stack([chain(expert, x) for expert in layers], 1)
    outputs = []
    for t in range(tasks):
        gate = torch.softmax(Layer(f"{name}.gate.{t}", inputs, experts)(x), -1)
        mixed = (gate.unsqueeze(-1) * values).sum(1)
        tower = [Layer(f"{name}.tower.{t}.0", widths[-1], 12, torch.relu), Layer(f"{name}.tower.{t}.1", 12, 1)]
        outputs.append(chain(tower, mixed))
    result(name, torch.cat(outputs, 1))


def attention(name, keys, queries, width, extra, hidden):
    k = given(name + ".keys", keys, width + extra)
    q = given(name + ".queries", queries, width)
    sizes = [4 * width + extra, *hidden, 1]
    layers = [
        Layer(f"{name}.out.{i - 1}" if i else f"{name}.0", sizes[i], sizes[i + 1], torch.relu if i < len(hidden) else None)
        for i in range(len(hidden) + 1)]
    kk = k.unsqueeze(0).expand(queries, keys, width + extra)
    qq = q.unsqueeze(1).expand(queries, keys, width)
    own = kk[..., :width]
    weights = chain(layers, torch.cat([qq, own, qq - own, qq * own, kk[..., width:]], -1))
    result(name, (weights * kk).sum(1))


def dot_attention(name, keys, queries, width, extra, meeting):
    k = given(name + ".keys", keys, width + extra)
    q = given(name + ".queries", queries, width)
    a = Layer(name + ".query", width, meeting, bias=False)(q)
    b = Layer(name + ".key", width + extra, meeting, bias=False)(k)
    result(name, torch.softmax(a @ b.T / meeting**0.5, -1) @ k)


dense()
cross("cross", 40, None)
cross("low", 23, 6)
mixture("mmoe", given("mmoe.x", 55, 40), 4, [24, 17], 3)
mixture("flat", given("flat.x", 49, 19), 3, [21], 2)
mixture("ranker", cross("ranker.cross", 64, None), 4, [32, 16], 3)
attention("din", 13, 51, 9, 2, [21, 5])
attention("narrow", 50, 7, 32, 0, [64])
dot_attention("dot", 30, 50, 11, 3, 18)

BYTES = True
dense()
mixture("ranker", cross("ranker.cross", 64, None), 4, [32, 16], 3)

os.makedirs(HERE, exist_ok=True)
save_file(FILE, os.path.join(HERE, "nets.safetensors"))
print(f"{len(FILE)} tensors, {sum(v.nbytes for v in FILE.values()):,} bytes")
