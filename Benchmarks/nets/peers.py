"""The measured nets in onnxruntime and PyTorch, one thread each. `programs` gives what runs a net by the program's name; each
returns the output."""

import os

import numpy
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from weights import CROSS, DIN_WIDTH, EXPERTS, KEYS, ROWS, TASKS

torch.set_num_threads(1)


class Graph:
    """Builds an ONNX graph. `gemm` makes Gemm nodes, which is onnxruntime's own form of a layer; without it MatMul and Add, which
    its quantisation works on."""

    def __init__(self, tensors: dict, gemm: bool):
        self.tensors, self.gemm = tensors, gemm
        self.nodes, self.constants, self.count = [], {}, 0

    def constant(self, name: str, value: numpy.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(numpy.ascontiguousarray(value), name)
        return name

    def add(self, operation: str, inputs: list[str], **attributes) -> str:
        self.count += 1
        name = f"t{self.count}"
        self.nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name

    def layer(self, x: str, name: str, relu: bool) -> str:
        weight = self.constant(f"{name}.weight", self.tensors[f"{name}.weight"])
        bias = self.constant(f"{name}.bias", self.tensors[f"{name}.bias"][0])
        y = self.add("Gemm", [x, weight, bias]) if self.gemm else self.add("Add", [self.add("MatMul", [x, weight]), bias])
        return self.add("Relu", [y]) if relu else y

    def layers(self, x: str, name: str, last: bool = False) -> str:
        index = 0
        while f"{name}.{index}.weight" in self.tensors:
            is_last = f"{name}.{index + 1}.weight" not in self.tensors
            x = self.layer(x, f"{name}.{index}", last or not is_last)
            index += 1
        return x

    def model(self, inputs: dict[str, list[int]], output: str) -> onnx.ModelProto:
        made = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in inputs.items()]
        self.nodes.append(helper.make_node("Identity", [output], ["y"]))
        result = [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "net", made, result, list(self.constants.values()))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def mixture(graph: Graph) -> str:
    x = "x"
    for index in range(CROSS):
        x = graph.add("Add", [graph.add("Mul", ["x", graph.layer(x, f"mmoe.cross.{index}", False)]), x])
    one, two = graph.constant("one", numpy.array([1])), graph.constant("two", numpy.array([2]))
    experts = [graph.add("Unsqueeze", [graph.layers(x, f"mmoe.expert.{e}", True), one]) for e in range(EXPERTS)]
    stacked = graph.add("Concat", experts, axis=1)
    outputs = []
    for task in range(TASKS):
        gate = graph.add("Softmax", [graph.layer(x, f"mmoe.gate.{task}", False)], axis=-1)
        mixed = graph.add("Mul", [graph.add("Unsqueeze", [gate, two]), stacked])
        outputs.append(graph.layers(graph.add("ReduceSum", [mixed, one], keepdims=0), f"mmoe.tower.{task}"))
    return graph.add("Concat", outputs, axis=1)


def attention(graph: Graph) -> str:
    """As the paper draws it: every pair side by side."""
    one, zero = graph.constant("one", numpy.array([1])), graph.constant("zero", numpy.array([0]))
    shape = graph.constant("shape", numpy.array([ROWS["din"], KEYS, DIN_WIDTH]))
    k = graph.add("Expand", [graph.add("Unsqueeze", ["keys", zero]), shape])
    q = graph.add("Expand", [graph.add("Unsqueeze", ["queries", one]), shape])
    pairs = graph.add("Concat", [q, k, graph.add("Sub", [q, k]), graph.add("Mul", [q, k])], axis=2)
    weights = graph.layers(pairs, "din")
    return graph.add("ReduceSum", [graph.add("Mul", [weights, k]), one], keepdims=0)


def factors(tensors: dict) -> tuple[numpy.ndarray, ...]:
    """Wq + Wd, Wk - Wd and Wp."""
    q, k, d, p = numpy.split(tensors["din.0.weight"], 4)
    return q + d, k - d, p


def factorised_attention(graph: Graph) -> str:
    """The same by hand: a matrix of weights for each candidate."""
    own, start, product = factors(graph.tensors)
    one, two = graph.constant("one", numpy.array([1])), graph.constant("two", numpy.array([2]))
    bias = graph.constant("b", graph.tensors["din.0.bias"][0])
    scaled = graph.add("Mul", [graph.add("Unsqueeze", ["queries", two]), graph.constant("Wp", product)])
    hidden = graph.add("MatMul", ["keys", graph.add("Add", [scaled, graph.constant("Wk", start)])])
    row = graph.add("Add", [graph.add("MatMul", ["queries", graph.constant("Wq", own)]), bias])
    hidden = graph.add("Relu", [graph.add("Add", [hidden, graph.add("Unsqueeze", [row, one])])])
    weights = graph.add("Squeeze", [graph.layer(hidden, "din.1", False), two])
    return graph.add("MatMul", [weights, "keys"])


def session(model: bytes):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def onnx_program(tensors: dict, name: str, folder: str, form=None, int8: bool = False):
    inputs = {"queries": tensors["din.queries"], "keys": tensors["din.keys"]} if name == "din" else {"x": tensors[f"{name}.x"]}
    graph = Graph(tensors, gemm=not int8 and name != "din")
    build = form or {"mmoe": mixture, "din": attention}.get(name) or (lambda graph: graph.layers("x", name))
    model = graph.model({key: list(value.shape) for key, value in inputs.items()}, build(graph))
    if int8:
        plain, quantised = f"{folder}/{name}.onnx", f"{folder}/{name}.int8.onnx"
        onnx.save(model, plain)
        quantize_dynamic(plain, quantised, weight_type=QuantType.QInt8)
        made = session(quantised)
    else:
        made = session(model.SerializeToString())
    return lambda: made.run(None, inputs)[0]


class Net(torch.nn.Module):
    """A net of the measurement in PyTorch, its layers as torch.nn.Linear."""

    def __init__(self, tensors: dict, name: str):
        super().__init__()
        self.name = name
        self.parts = torch.nn.ModuleDict()
        for key in tensors:
            if key.startswith(f"{name}.") and key.endswith(".weight"):
                weight = torch.from_numpy(tensors[key].T.copy())
                layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
                layer.weight.data = weight
                layer.bias.data = torch.from_numpy(tensors[key.replace(".weight", ".bias")][0].copy())
                self.parts[key.removesuffix(".weight").replace(".", "_")] = layer

    def layers(self, x, name: str, last: bool = False):
        index = 0
        while f"{name}_{index}" in self.parts:
            x = self.parts[f"{name}_{index}"](x)
            if last or f"{name}_{index + 1}" in self.parts:
                x = torch.relu(x)
            index += 1
        return x

    def forward(self, x, keys):
        if self.name == "din":
            k, q = keys.unsqueeze(0).expand(x.shape[0], -1, -1), x.unsqueeze(1).expand(-1, keys.shape[0], -1)
            return (self.layers(torch.cat([q, k, q - k, q * k], -1), "din") * k).sum(1)
        if self.name != "mmoe":
            return self.layers(x, self.name)
        state = x
        for index in range(CROSS):
            state = x * self.parts[f"mmoe_cross_{index}"](state) + state
        experts = torch.stack([self.layers(state, f"mmoe_expert_{e}", True) for e in range(EXPERTS)], 1)
        outputs = []
        for task in range(TASKS):
            gate = torch.softmax(self.parts[f"mmoe_gate_{task}"](state), -1)
            outputs.append(self.layers((gate.unsqueeze(-1) * experts).sum(1), f"mmoe_tower_{task}"))
        return torch.cat(outputs, 1)


class FactorisedAttention(torch.nn.Module):
    def __init__(self, tensors: dict):
        super().__init__()
        self.own, self.start, self.product = (torch.from_numpy(part.copy()) for part in factors(tensors))
        self.bias, self.last = torch.from_numpy(tensors["din.0.bias"]), torch.from_numpy(tensors["din.1.weight"])
        self.last_bias = torch.from_numpy(tensors["din.1.bias"])

    def forward(self, x, keys):
        scaled = x.unsqueeze(2) * self.product + self.start
        hidden = torch.relu(keys @ scaled + (x @ self.own + self.bias).unsqueeze(1))
        return (hidden @ self.last + self.last_bias).squeeze(2) @ keys


def torch_programs(tensors: dict, name: str, module=None):
    """Eager, and traced, frozen and optimised: the faster of the two counts."""
    module = (module or Net(tensors, name)).eval()
    x = torch.from_numpy(tensors["din.queries" if name == "din" else f"{name}.x"])
    keys = torch.from_numpy(tensors["din.keys"])
    with torch.inference_mode():
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(module, (x, keys))))

    def runs(net):
        def run():
            with torch.inference_mode():
                return net(x, keys).numpy()

        return run

    return {"eager": runs(module), "frozen": runs(traced)}


def programs(tensors: dict, name: str, folder: str) -> dict:
    os.makedirs(folder, exist_ok=True)
    made = {"onnxruntime": onnx_program(tensors, name, folder)}
    if name == "din":
        made["onnxruntime factorised"] = onnx_program(tensors, name, folder, factorised_attention)
    else:
        made["onnxruntime int8"] = onnx_program(tensors, name, folder, int8=True)
    for kind, program in torch_programs(tensors, name).items():
        made[f"torch {kind}"] = program
    if name == "din":
        for kind, program in torch_programs(tensors, name, FactorisedAttention(tensors)).items():
            made[f"torch factorised {kind}"] = program
    return made
