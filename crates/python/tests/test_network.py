"""Networks: layers, forward, back, and what is refused."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import unpool
from conftest import MODELS, same_bits

DIGITS = MODELS / "digits.onnx"


@pytest.fixture
def network():
    return unpool.Network(DIGITS)


@pytest.fixture
def images(rng):
    return rng.random((2, 1, 32, 32), np.float32)


def test_layers(network):
    layers = network.layers()
    assert network.input_shape[1:] == (1, 32, 32) and network.input_layout == "channels-first"
    assert {"Conv", "MaxPool"} <= {layer.operator for layer in layers}
    assert layers[0].shape[0] == 1 and sum(layer.parameters for layer in layers) > 0
    assert network.layers((5, 1, 32, 32))[0].shape[0] == 5
    names = {layer.name for layer in layers}
    assert {network.output, network.scores, network.last_maps} <= names
    region = network.receptive_field(network.last_maps, 0)
    assert len(region.axes) == 2
    assert "Conv" in unpool.Network.operators()


def test_forward_and_activation(network, images):
    output = network.forward(images)
    assert output.shape == (2, 10)
    assert same_bits(network.activation(network.output), output)
    alone = np.concatenate([network.forward(image[None]) for image in images])
    assert np.allclose(alone, output, atol=1e-5)
    assert same_bits(unpool.Network(DIGITS.read_bytes()).forward(images), output)
    weights, tensors = network.memory
    assert weights > 0 and tensors > 0


def test_the_gradient_is_that_of_finite_differences(network, images):
    score = network.scores
    network.forward(images)
    gradient = network.look_back(score, ("class", 3)).map
    assert gradient.shape == images.shape
    at = np.unravel_index(np.abs(gradient[0]).argmax(), gradient[0].shape)
    step = np.zeros_like(images)
    step[(0, *at)] = 1e-3
    network.forward(images + step)
    more = network.activation(score)[0, 3]
    network.forward(images - step)
    less = network.activation(score)[0, 3]
    assert np.isclose((more - less) / 2e-3, gradient[(0, *at)], rtol=0.05, atol=1e-3)


@pytest.mark.parametrize("rule", ["gradient", "deconvnet", "guided"])
def test_rules_and_targets(network, images, rule):
    network.forward(images)
    layer = network.last_maps
    for target in (
        "layer", ("channel", 1), ("responses", 1), ("strongest", 1), ("unit", 1, 2),
    ):
        projection = network.look_back(layer, target, rule)
        assert projection.map.shape == images.shape
        single = target[0] in ("strongest", "unit")
        assert all((unit is not None) == single for unit in projection.units)
    signal = np.ones(network.activation(layer).shape, np.float32)
    whole = network.look_back(layer, "layer", rule).map
    assert same_bits(network.vector_jacobian(layer, signal, rule), whole)
    inner = network.look_back(network.scores, ("class", 0), rule, to=layer)
    assert inner.map.shape == signal.shape


@pytest.mark.parametrize(
    "method, parameters",
    [
        ("gradient", {}), ("deconvnet", {}), ("guided", {}), ("input-times-gradient", {}),
        ("integrated_gradients", {"steps": 8}), ("smoothgrad", {"samples": 3, "seed": 1}),
        ("occlusion", {"size": 8, "stride": 8}), ("guided-grad-cam", {"at": "maps"}),
        ("lrp-epsilon", {"epsilon": 1e-6}), ("lrp-gamma", {"gamma": 0.25}),
    ],
)
def test_attributions(network, images, method, parameters):
    if "at" in parameters:
        parameters = {"at": network.last_maps}
    made = network.attribute(images, network.scores, ("class", 2), method, **parameters)
    assert made.map.shape == images.shape and np.isfinite(made.map).all()


def test_integrated_gradients_add_up(network, images):
    score = network.scores
    network.forward(np.zeros_like(images))
    before = network.activation(score)[:, 4]
    made = network.attribute(images, score, ("class", 4), steps=200)
    after = network.activation(score)[:, 4]
    assert np.allclose(made.map.sum((1, 2, 3)), after - before, atol=0.05)


def test_class_activation(network, images):
    network.forward(images)
    for method in ("grad-cam", "grad-cam++"):
        made = network.class_activation(network.scores, ("class", 1), method=method)
        maps = network.activation(network.last_maps)
        assert made.shape == (2, 1, *maps.shape[2:]) and (made >= 0).all()


def test_maximize(network, images):
    score = network.scores
    network.forward(np.full((1, 1, 32, 32), 0.5, np.float32))
    before = network.activation(score)[0, 3]
    made = network.maximize(score, ("class", 3), steps=20)
    assert made.shape == (1, 1, 32, 32) and 0 <= made.min() <= made.max() <= 1
    assert network.activation(score)[0, 3] > before
    assert same_bits(network.maximize(score, ("class", 3), steps=20), made)
    assert not same_bits(network.maximize(score, ("class", 3), steps=20, seed=1), made)
    with pytest.raises(ValueError, match="0 steps"):
        network.maximize(score, ("class", 3), steps=0)
    with pytest.raises(ValueError, match="2 ranges for 1 channels"):
        network.maximize(score, ("class", 3), value_range=[(0, 1), (0, 1)])


def test_strongest(network, images):
    layer = network.last_maps
    found = network.strongest(images, layer, 1, 6)
    responses = network.activation(layer)
    values = [unit.value for _, unit in found]
    assert values == sorted(values, reverse=True) and len(found) <= 6
    for image, unit in found:
        assert responses[image, 1].ravel()[unit.position] == unit.value
    with pytest.raises(ValueError, match="channel 9999"):
        network.strongest(images, layer, 9999)


def test_threads_take_turns(network, images):
    expected = network.forward(images)
    with ThreadPoolExecutor(4) as pool:
        assert all(same_bits(out, expected) for out in pool.map(network.forward, [images] * 12))


def test_kept_layers(images):
    network = unpool.Network(DIGITS, keep=[])
    network.forward(images)
    hidden = network.last_maps
    with pytest.raises(ValueError, match="was not kept"):
        network.activation(hidden)


def test_refusals(network, images, tmp_path):
    with pytest.raises(ValueError, match="no images were run"):
        network.activation(network.output)
    network.forward(images)
    layer = network.scores
    for call, error, message in (
        (lambda: network.activation("nope"), ValueError, "is not a layer"),
        (lambda: network.look_back(layer, ("class", 99)), ValueError, "class 99; 0 to 9 are allowed"),
        (lambda: network.look_back(layer, "all"), ValueError, "target \"all\" is unknown"),
        (lambda: network.look_back(layer, 3), TypeError, "target is int"),
        (lambda: network.look_back(layer, ("class", -1)), ValueError, "target is"),
        (lambda: network.look_back(layer, "layer", "grad"), ValueError, "rule \"grad\" is unknown"),
        (lambda: network.attribute(images, layer, "layer", "shap"), ValueError, "method \"shap\""),
        (lambda: network.attribute(images, layer, "layer", steps=0), ValueError, "1 to 1000"),
        (lambda: network.attribute(images, layer, "layer", noise=1), TypeError, "no parameter"),
        (lambda: network.attribute(images, layer, "layer", steps="x"), TypeError, "steps"),
        (lambda: network.forward(images[0]), ValueError, "input"),
        (lambda: network.forward(images[:0]), ValueError, None),
        (lambda: network.forward(images.astype(complex)), TypeError, "complex128"),
        (lambda: network.forward("x"), TypeError, "images hold"),
        (lambda: network.vector_jacobian(layer, [1.0]), ValueError, "a signal of 1 elements"),
        (lambda: network.receptive_field(layer, 10**9), ValueError, "position 1000000000"),
        (lambda: unpool.Network(tmp_path / "none.onnx"), OSError, "none.onnx"),
        (lambda: unpool.Network(b"junk"), ValueError, None),
        (lambda: unpool.Network(b""), ValueError, None),
        (lambda: unpool.Network(DIGITS, device="nope"), ValueError, "no adapter"),
        (lambda: unpool.Network(DIGITS, keep="conv1"), TypeError, "keep is a str"),
        (lambda: unpool.Network(DIGITS, memory_limit=10).forward(images), (MemoryError, ValueError), None),
    ):
        with pytest.raises(error, match=message):
            call()
    assert network.forward(images).shape == (2, 10)
