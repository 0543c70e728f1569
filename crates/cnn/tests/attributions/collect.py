"""captum's attributions for three small classifiers, as attributions.json beside this file.

usage: collect.py   (needs captum, numpy, onnx, onnxruntime and torch from PyPI)

Each ONNX network is rebuilt from PyTorch's modules, each of its layers a module of the node's name. Only
Flatten is a function: captum's LRP knows no rule for nn.Flatten, and a function passes its relevance on
as it is. A final LogSoftmax is left out; the scores are what enters it, and the class is the largest.
The scores must be ONNX Runtime's, and those recorded for the digits, before anything is collected.

All is computed in float64, except that captum takes the weights of integrated gradients' steps and the
mean over occlusion's windows in float32.
"""
import json
import pathlib
import sys
import warnings

import captum
import numpy as np
import onnx
import onnxruntime
import torch
from captum import attr
from captum.attr._utils.lrp_rules import EpsilonRule, GammaRule
from onnx import helper, numpy_helper
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
DIGITS = 6  # significant, of each number in a map

# Of each model, the last node with maps; but of CIFAR's the one before, since no element of the last
# one's Grad-CAM is positive.
MODELS = [
    ("data/digits.onnx", "relu4"),
    ("models/s_cifar_tutorial_dynamo.onnx", "node_relu_1"),
    ("models/s_mnist_example_dynamo.onnx", "node_max_pool2d"),
]


def uniform(seed, count):
    """Numbers from -1 up to 1, hashes of index + seed: ../models/README.md has the rule."""
    m = np.arange(count, dtype=np.uint32) + np.uint32(seed)
    m *= np.uint32(0x9E3779B9)
    m ^= m >> np.uint32(15)
    m *= np.uint32(0x85EBCA6B)
    m ^= m >> np.uint32(13)
    m *= np.uint32(0xC2B2AE35)
    m ^= m >> np.uint32(16)
    return (m >> np.uint32(8)).astype(np.float32) / np.float32(8388608) - np.float32(1)


def normal(start, count, seed=0):
    """Standard normal numbers `start` to `start + count`, from SplitMix64 and Box-Muller's cosine."""

    def mix(z):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    k = np.arange(start, start + count, dtype=np.uint64) * np.uint64(2)
    golden, seed = np.uint64(0x9E3779B97F4A7C15), np.uint64(seed)
    a = mix((k + np.uint64(1)) * golden + seed)
    b = mix((k + np.uint64(2)) * golden + seed)
    u1 = ((a >> np.uint64(11)) + np.uint64(1)).astype(np.float64) / 2.0**53
    u2 = (b >> np.uint64(11)).astype(np.float64) / 2.0**53
    return np.sqrt(-2.0 * np.log(u1)) * np.cos(2.0 * np.pi * u2)


def load(path):
    """The model with its weights; those left out of the file are generated."""
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        if entries.get("location") == "generated":
            shape = list(tensor.dims)
            values = uniform(int(entries["seed"]), int(np.prod(shape)))
            values *= np.float32(float(entries["scale"]))
            tensor.CopyFrom(numpy_helper.from_array(values.reshape(shape), tensor.name))
    return model


def pair(values):
    """The padding of both sides, which must agree at the start and the end."""
    assert list(values[:2]) == list(values[2:]), values
    return tuple(values[:2])


def module(node, weights):
    """One node as a module of PyTorch's."""
    a = {x.name: helper.get_attribute_value(x) for x in node.attribute}
    assert a.get("auto_pad", b"NOTSET") == b"NOTSET"
    if node.op_type in ("Conv", "MaxPool"):
        kernel, padding = tuple(a["kernel_shape"]), pair(a.get("pads", [0] * 4))
        strides, dilations = tuple(a.get("strides", [1, 1])), tuple(a.get("dilations", [1, 1]))
    if node.op_type == "Conv":
        weight, bias = (weights[name] for name in node.input[1:])
        groups = a.get("group", 1)
        channels = weight.shape[1] * groups, weight.shape[0]
        layer = nn.Conv2d(*channels, kernel, strides, padding, dilations, groups)
    elif node.op_type == "Gemm":
        assert a.get("transB") == 1 and not a.get("transA") and a.get("alpha", 1) == a.get("beta", 1) == 1
        weight, bias = (weights[name] for name in node.input[1:])
        layer = nn.Linear(weight.shape[1], weight.shape[0])
    elif node.op_type == "MaxPool":
        return nn.MaxPool2d(kernel, strides, padding, dilations, ceil_mode=bool(a.get("ceil_mode", 0)))
    elif node.op_type == "GlobalAveragePool":
        return nn.AdaptiveAvgPool2d(1)
    elif node.op_type == "Relu":
        return nn.ReLU()
    else:
        raise NotImplementedError(node.op_type)
    layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias)
    return layer


class Network(nn.Module):
    """A chain of nodes, up to the scores."""

    def __init__(self, model):
        super().__init__()
        weights = {x.name: numpy_helper.to_array(x) for x in model.graph.initializer}
        self.order, current = [], model.graph.input[0].name
        for node in model.graph.node:
            assert node.input[0] == current, "the network is a chain"
            if node.op_type == "LogSoftmax":
                break
            if node.op_type not in ("Flatten", "Reshape"):
                self.add_module(node.name, module(node, weights))
            self.order.append(node)
            current = node.output[0]
        self.eval()

    def forward(self, x):
        for node in self.order:
            x = self._modules[node.name](x) if node.name in self._modules else torch.flatten(x, 1)
        return x


def scores(model, name, image):
    """A tensor of the network as ONNX Runtime computes it."""
    if name not in [output.name for output in model.graph.output]:
        model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run([name], {model.graph.input[0].name: image})[0]


def lrp(network, image, target, weighted, averages):
    """Relevance; the rules are given anew, since captum takes them away. A maximum passes all it has."""
    for layer in network.children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.rule = weighted()
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            layer.rule = averages()
        elif isinstance(layer, nn.MaxPool2d):
            layer.rule = EpsilonRule(1e-9)
    before = network(image)
    relevance = attr.LRP(network).attribute(image, target=target)
    assert torch.equal(before, network(image)), "the weights are as before"
    return relevance


def attributions(network, image, target, layer):
    """All maps, by name."""
    saliency, integrated = attr.Saliency(network), attr.IntegratedGradients(network)
    guided_cam, channels = attr.GuidedGradCam(network, layer), image.shape[1]
    steps = {"target": target, "n_steps": 50, "method": "gausslegendre"}
    deviation = 0.15 * (image.max() - image.min())
    noise = (normal(s * image.numel(), image.numel()) for s in range(8))
    noisy = [image + deviation * torch.tensor(n).to(image).reshape(image.shape) for n in noise]
    windows = {"sliding_window_shapes": (channels, 7, 7), "strides": (channels, 3, 3), "baselines": 0}
    return {
        "gradient": saliency.attribute(image, target, abs=False),
        "deconvnet": attr.Deconvolution(network).attribute(image, target),
        "guided": attr.GuidedBackprop(network).attribute(image, target),
        "input_times_gradient": attr.InputXGradient(network).attribute(image, target),
        "integrated_gradients": integrated.attribute(image, 0.0, **steps),
        "integrated_gradients_half": integrated.attribute(image, 0.5, **steps),
        "smoothgrad": sum(saliency.attribute(x, target, abs=False) for x in noisy) / len(noisy),
        "occlusion": attr.Occlusion(network).attribute(image, target=target, **windows),
        "grad_cam": attr.LayerGradCam(network, layer).attribute(image, target, relu_attributions=True),
        "guided_grad_cam_nearest": guided_cam.attribute(image, target),
        "guided_grad_cam_bilinear": guided_cam.attribute(image, target, interpolate_mode="bilinear"),
        "lrp_epsilon": lrp(network, image, target, lambda: EpsilonRule(1e-2), lambda: EpsilonRule(1e-2)),
        "lrp_gamma": lrp(network, image, target, lambda: GammaRule(0.25), lambda: EpsilonRule(1e-9)),
    }


def record(name, maps_node):
    model = load(TESTS / name)
    network = Network(model)
    shape = [x.dim_value or 1 for x in model.graph.input[0].type.tensor_type.shape.dim]
    if name == "data/digits.onnx":
        digits = json.loads((TESTS / "data/digits.json").read_text())
        values = np.array(digits["image"][: int(np.prod(shape))], np.float32)
        assert digits["image_shape"][1:] == shape[1:]
    else:
        values = uniform(7, int(np.prod(shape)))
    image = values.reshape(shape)
    last = network.order[-1]
    with torch.no_grad():
        found = network(torch.tensor(image)).numpy()
    expected = [scores(model, last.output[0], image)]
    if name == "data/digits.onnx":
        expected.append(np.array(digits["logits"][: found.size], np.float32).reshape(found.shape))
    for e in expected:
        assert np.abs(found - e).max() <= 1e-5 * np.abs(e).max(), name
    network, image = network.double(), torch.tensor(image.astype(np.float64))
    output = network(image)[0]
    target = int(output.argmax())
    maps_node = next(node for node in network.order if node.name == maps_node)
    layer = getattr(network, maps_node.name)
    found = attributions(network, image, target, layer)
    for key, value in found.items():
        if key != "grad_cam":
            assert value.shape == image.shape, key
        assert torch.isfinite(value).all() and value.abs().max() > 0, key
    return {
        "model": name,
        "shape": shape,
        "input": [float(str(x)) for x in values],
        "layer": last.name,
        "output": last.output[0],
        "scores": rounded(output),
        "class": target,
        "maps_layer": maps_node.name,
        "maps_output": maps_node.output[0],
        "maps_shape": list(found["grad_cam"].shape),
        "maps": {key: rounded(value) for key, value in found.items()},
    }


def rounded(values):
    rounded = (float(f"{x:.{DIGITS}g}") for x in values.detach().reshape(-1).tolist())
    return [int(x) if x == 0 else x for x in rounded]


def main():
    warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU activations")
    warnings.filterwarnings("ignore", message="Input Tensor 0 did not already require gradients")
    source = f"captum {captum.__version__}, PyTorch {torch.__version__}, CPU, float64"
    print(f"{source}; onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}")
    print(f"numpy {np.__version__}, Python {sys.version.split()[0]}")
    models = [record(*model) for model in MODELS]
    for m in models:
        print(m["model"], m["layer"], m["class"], m["maps_layer"], m["maps_shape"])
    text = ",\n".join(json.dumps(m, separators=(",", ":")) for m in models)
    text = text.replace("e-0", "e-")  # exponents of one digit
    (HERE / "attributions.json").write_text(f'{{"source":{json.dumps(source)},"models":[\n{text}\n]}}\n')


if __name__ == "__main__":
    main()
