"""The ONNX project's own tests of operators, as one JSON file that tests/nodes.rs reads.

usage: collect.py OUT.json [--largest N] OPERATOR ...   (needs onnx and numpy from PyPI)

Each test is a model of one node with inputs and outputs. The first input of floats becomes the image,
one row of numbers that a Reshape gives its shape; all other inputs become weights. Left out are tests
without an input of floats, of operators that are not named, with more than N elements (4,000), and of
training. ONNX is Apache-2.0: https://github.com/onnx/onnx/tree/main/onnx/backend/test/data/node
"""
import argparse
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

options = argparse.ArgumentParser()
options.add_argument("out")
options.add_argument("--largest", type=int, default=4000)
options.add_argument("operators", nargs="+")
options = options.parse_args()

FLOATS = (np.float32, np.float64)
cases, left_out = [], {}


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
    return {
        "name": test.name,
        "model": model.SerializeToString().hex(),
        "input": [float(np.float32(x)) for x in array.reshape(-1)],
        "shape": list(output.shape),
        "expected": [float(np.float32(x)) for x in output.reshape(-1)],
    }


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
