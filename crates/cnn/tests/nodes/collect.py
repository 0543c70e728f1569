"""The ONNX project's own tests of operators, as one JSON file that tests/nodes.rs reads.

usage: collect.py OUT.json [--largest N] OPERATOR ...   (needs onnx and numpy from PyPI)

Each test is a model of one node with inputs and outputs. The first input of floats becomes the image,
one row of numbers that a Reshape gives its shape; all other inputs become weights. Left out are tests
without an input of floats, of operators that are not named, with more than N elements (4,000), and of
training. A small test also gets its slope: how fast the sum of the outputs, weighted by `u(i + 13)`, changes
where the image moves along `u(i + 11)` (`u` as in tests/models/README.md), by difference quotients of ONNX's
reference in double precision; none where these do not agree, as at a kink. ONNX is Apache-2.0: https://github.com/onnx/onnx/tree/main/onnx/backend/test/data/node
"""
import argparse
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.reference import ReferenceEvaluator

options = argparse.ArgumentParser()
options.add_argument("out")
options.add_argument("--largest", type=int, default=4000)
options.add_argument("operators", nargs="+")
options = options.parse_args()

FLOATS = (np.float32, np.float64)
SMALL = 4000
cases, left_out = [], {}


def u(seed, n):
    """-1 to 1, a hash of i + seed."""
    with np.errstate(over="ignore"):
        m = (np.arange(n, dtype=np.uint32) + np.uint32(seed)) * np.uint32(0x9E3779B9)
        m = (m ^ m >> np.uint32(15)) * np.uint32(0x85EBCA6B)
        m = (m ^ m >> np.uint32(13)) * np.uint32(0xC2B2AE35)
        m ^= m >> np.uint32(16)
    return (m >> np.uint32(8)).astype(np.float64) / 8388608 - 1


def doubled(model):
    """The same model in double precision."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for weights in model.graph.initializer:
        if weights.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(weights).astype(np.float64)
            weights.CopyFrom(numpy_helper.from_array(array, weights.name))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "stash_type") and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
    return model


def slope(model, image):
    """The slope, or none where difference quotients do not agree."""
    image = np.asarray(image, np.float64).reshape(1, 1, -1)
    along = u(11, image.size).reshape(image.shape)
    try:
        run = ReferenceEvaluator(doubled(model))
        base = run.run(None, {"image": image})[0]
        if base.dtype != np.float64 or image.size + base.size > SMALL:
            return None
        weights = u(13, base.size)
        at = lambda step: (run.run(None, {"image": image + step * along})[0].reshape(-1) * weights).sum()
        middle = at(0)
        quotients = [(at(step) - middle) / step for step in (1e-6, -1e-6)]
        quotients += [(at(step) - at(-step)) / (2 * step) for step in (1e-6, 1e-5)]
    except Exception:  # What the reference cannot do in double precision.
        return None
    value = quotients[3]
    agree = all(abs(q - value) <= 1e-4 * max(abs(value), 1e-3) for q in quotients)
    return float(f"{value:.7g}") if np.isfinite(value) and agree else None


def case(test):
    model, graph = test.model, test.model.graph
    if any(node.op_type not in options.operators or node.domain for node in graph.node):
        return None
    if "training" in test.name:
        return "training"
    if len(graph.node) == 1 and graph.node[0].op_type in ("Shape", "Size", "Range"):
        return "no floats"
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    if opset < 7:
        return "operator set"
    inputs, outputs = test.data_sets[0]
    output = outputs[0]
    if any(not isinstance(x, np.ndarray) for x in [*inputs, output]):
        inputs = [np.asarray(x) if np.isscalar(x) else x for x in inputs]
        output = np.asarray(output) if np.isscalar(output) else output
    if any(not isinstance(x, np.ndarray) or x.dtype == object for x in [*inputs, output]):
        return "inputs that are no tensors"
    image = next((i for i, x in enumerate(inputs) if x.dtype in FLOATS), None)
    if image is None:
        return "no floats"
    if graph.node[0].op_type == "OneHot" and image == 1:
        return "a size that depends on the image"
    if sum(x.size for x in inputs) + output.size > options.largest:
        return "size"
    name, array = graph.input[image].name, inputs[image]
    if array.size == 0 or output.size == 0:
        return "empty"
    for i, value in enumerate(inputs):
        if i != image:
            try:
                graph.initializer.append(numpy_helper.from_array(value, graph.input[i].name))
            except (TypeError, ValueError):
                return "elements without a type of NumPy's"
    shape = numpy_helper.from_array(np.array(array.shape, np.int64), "image_extents")
    graph.initializer.append(shape)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.append(helper.make_node("Reshape", ["image", "image_extents"], [name]))
    graph.node.extend(nodes)
    del graph.input[:]
    row = [1, 1, int(array.size)]
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.FLOAT, row))
    del graph.output[1:]
    found = {
        "name": test.name,
        "model": model.SerializeToString().hex(),
        "input": [float(np.float32(x)) for x in array.reshape(-1)],
        "shape": list(output.shape),
        "expected": [float(np.float32(x)) for x in output.reshape(-1)],
    }
    value = slope(model, found["input"])
    return found if value is None else {**found, "slope": value}


for test in sorted(collect_testcases(None), key=lambda test: test.name):
    found = case(test)
    if isinstance(found, dict):
        # JSON has no infinities and no NaN.
        for key in ("input", "expected"):
            found[key] = [x if np.isfinite(x) else str(x) for x in found[key]]
        cases.append(found)
    elif found:
        left_out.setdefault(found, []).append(test.name)
with open(options.out, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
print(f"{len(cases)} tests, onnx {onnx.__version__}")
for reason, names in left_out.items():
    print(f"left out, {reason}: {len(names)}")
