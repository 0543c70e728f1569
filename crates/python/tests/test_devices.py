"""Every adapter gives the bits of the CPU."""

import numpy as np
import pytest

import unpool
from conftest import same_bits


def adapters():
    return ["auto", *unpool.devices()]


@pytest.mark.parametrize("device", adapters())
def test_the_same_bits_as_on_the_cpu(device, dtype, rng):
    name = device.split(": ", 1)[-1]
    x = rng.integers(0, 12, (2, 3, 9, 11)).astype(dtype)
    values, taps = unpool.max_pool(x, 3, stride=2, padding=1)
    on = {"device": name}
    found, argmax = unpool.max_pool(x, 3, stride=2, padding=1, **on)
    assert same_bits(found, values) and argmax == taps
    assert same_bits(unpool.max_pool_values(x, 3, stride=2, padding=1, **on), values)
    for overlap in ("last", "sum"):
        assert same_bits(
            unpool.max_unpool(values, taps, overlap=overlap, **on),
            unpool.max_unpool(values, taps, overlap=overlap),
        )
    assert same_bits(
        unpool.max_pool_backward(values, taps, **on), unpool.max_pool_backward(values, taps)
    )
    assert same_bits(
        unpool.max_unpool_backward(x, taps, **on), unpool.max_unpool_backward(x, taps)
    )
    indices = taps.indices()
    assert same_bits(
        unpool.scatter(values, indices, x.shape, **on), unpool.scatter(values, indices, x.shape)
    )


def test_description():
    assert unpool.describe("cpu").startswith("CPU")
