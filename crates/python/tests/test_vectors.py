"""The cases that PyTorch, TensorFlow and ONNX Runtime computed."""

import json

import numpy as np
import pytest

import unpool
from conftest import VECTORS

FILES = sorted(VECTORS.glob("*.jsonl"))


def numbers(values, shape):
    return np.array([float(v) for v in values], np.float32).reshape(shape)


def agree(found, expected):
    """Bit for bit, but for the payload of a NaN."""
    nan = np.isnan(expected)
    assert found.shape == expected.shape
    assert np.array_equal(np.isnan(found), nan)
    assert found[~nan].tobytes() == expected[~nan].tobytes()


def check(case):
    shape, pooled = tuple(case["input_shape"]), tuple(case["pooled_shape"])
    x = numbers(case["input"], shape)
    values, taps = unpool.max_pool(
        x,
        case["kernel"],
        stride=case["stride"],
        dilation=case["dilation"],
        padding=case["padding"],
        ceil_mode=case["ceil"],
        layout=case["layout"],
    )
    indices = np.array(case["indices"], np.int64).reshape(pooled)
    agree(values, numbers(case["values"], pooled))
    assert np.array_equal(taps.indices(case["index_space"]), indices)
    space, geometry = case["index_space"], taps.geometry
    assert unpool.Taps.from_indices(indices, geometry, space, layout=case["layout"]) == taps
    if made := case.get("pool_grad"):
        found = unpool.max_pool_backward(numbers(made["grad_output"], pooled), taps)
        agree(found, numbers(made["grad_input"], shape))
    if made := case.get("unpool"):
        overlap = {"assign": "last", "sum": "sum"}[made["rule"]]
        updates, output = numbers(made["updates"], pooled), numbers(made["output"], shape)
        agree(unpool.max_unpool(updates, taps, overlap=overlap), output)
        scattered = unpool.scatter(
            updates, indices, shape, space=space, overlap=overlap, layout=case["layout"]
        )
        agree(scattered, output)
    if made := case.get("unpool_grad"):
        found = unpool.max_unpool_backward(numbers(made["grad_output"], shape), taps)
        agree(found, numbers(made["grad_updates"], pooled))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_case(file):
    cases = [json.loads(line) for line in file.read_text().splitlines()]
    for case in cases:
        try:
            check(case)
        except Exception as error:
            raise AssertionError(case["name"]) from error
    assert len(cases) > 50


def test_pytorch_functions_give_the_indices_of_pytorch():
    count = 0
    for line in (VECTORS / "pytorch.jsonl").read_text().splitlines():
        case = json.loads(line)
        pads = case["padding"]
        if isinstance(pads, str) or any(before != after for before, after in pads):
            continue
        axes = len(case["kernel"])
        pool = getattr(unpool, f"max_pool{axes}d")
        values, indices = pool(
            numbers(case["input"], case["input_shape"]),
            case["kernel"],
            case["stride"],
            [before for before, _ in pads],
            case["dilation"],
            case["ceil"],
            return_indices=True,
        )
        agree(values, numbers(case["values"], case["pooled_shape"]))
        assert indices.dtype == np.int64 and indices.ravel().tolist() == case["indices"]
        count += 1
    assert count > 50


def test_tensorflow_functions_give_the_indices_of_tensorflow():
    count = 0
    for line in (VECTORS / "tensorflow.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case["dilation"] != [1, 1]:
            continue
        values, argmax = unpool.tf.max_pool_with_argmax(
            numbers(case["input"], case["input_shape"]),
            case["kernel"],
            case["stride"],
            case["padding"].upper(),
            include_batch_in_index=case["index_space"] == "batch",
        )
        agree(values, numbers(case["values"], case["pooled_shape"]))
        assert argmax.ravel().tolist() == case["indices"]
        count += 1
    assert count > 50
