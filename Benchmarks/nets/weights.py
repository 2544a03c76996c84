"""Weights and inputs of the measured nets, written once for all programs: float32, layers `<name>.weight` [inputs, outputs] and
`<name>.bias` [1, outputs]."""

import numpy
from safetensors.numpy import save_file

PRERANK, USER = [256, 128, 64, 1], [320, 256, 128, 64]
WIDTH, CROSS, EXPERTS, TASKS = 256, 3, 4, 3
EXPERT, TOWER = [256, 128, 64], [64, 32, 1]
DIN_WIDTH, DIN_HIDDEN = 32, 64
ROWS = {"prerank": 2000, "user": 1, "mmoe": 500, "din": 300}
KEYS = 50


class Tensors(dict):
    def __init__(self):
        super().__init__()
        self.random = numpy.random.default_rng(5)

    def normal(self, name: str, *shape: int, scale: float = 1.0) -> None:
        self[name] = (self.random.standard_normal(shape) * scale).astype(numpy.float32)

    def layer(self, name: str, inputs: int, outputs: int, scale: float = 1.4) -> None:
        self.normal(f"{name}.weight", inputs, outputs, scale=scale / inputs**0.5)
        self.normal(f"{name}.bias", 1, outputs, scale=0.1)

    def layers(self, name: str, widths: list[int]) -> None:
        for index, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            self.layer(f"{name}.{index}", inputs, outputs)


def make(path: str) -> dict[str, numpy.ndarray]:
    tensors = Tensors()
    tensors.layers("prerank", PRERANK)
    tensors.layers("user", USER)
    for index in range(CROSS):
        tensors.layer(f"mmoe.cross.{index}", WIDTH, WIDTH, scale=0.5)
    for index in range(EXPERTS):
        tensors.layers(f"mmoe.expert.{index}", EXPERT)
    for index in range(TASKS):
        tensors.layer(f"mmoe.gate.{index}", WIDTH, EXPERTS, scale=1)
        tensors.layers(f"mmoe.tower.{index}", TOWER)
    tensors.layers("din", [4 * DIN_WIDTH, DIN_HIDDEN, 1])
    for name, width in [("prerank", PRERANK[0]), ("user", USER[0]), ("mmoe", WIDTH)]:
        tensors.normal(f"{name}.x", ROWS[name], width)
    tensors.normal("din.queries", ROWS["din"], DIN_WIDTH)
    tensors.normal("din.keys", KEYS, DIN_WIDTH)
    save_file(tensors, path)
    return tensors


def operations(name: str) -> int:
    """Floating-point operations of the product in the straightforward form; a multiply-add counts as two."""
    def layers(widths: list[int]) -> int:
        return sum(2 * inputs * outputs for inputs, outputs in zip(widths, widths[1:]))

    if name == "mmoe":
        row = CROSS * 2 * WIDTH * WIDTH + EXPERTS * layers(EXPERT) + TASKS * (2 * WIDTH * EXPERTS + layers(TOWER))
    elif name == "din":
        # The factorised form's: what is needed, not what is avoided.
        row = KEYS * (2 * DIN_WIDTH * DIN_HIDDEN + 2 * DIN_HIDDEN + 2 * DIN_WIDTH) + 4 * DIN_WIDTH * DIN_HIDDEN
    else:
        row = layers({"prerank": PRERANK, "user": USER}[name])
    return ROWS[name] * row
