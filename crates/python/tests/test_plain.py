"""Every operation against plain loops, with every element type and random windows."""

import numpy as np
import pytest

import plain
import unpool
from conftest import same_bits


def window(rng, axes):
    kernel = rng.integers(1, 4, axes).tolist()
    stride = rng.integers(1, 4, axes).tolist()
    dilation = rng.integers(1, 3, axes).tolist()
    pads = [tuple(int(p) for p in rng.integers(0, k // 2 + 1, 2)) for k in kernel]
    return kernel, stride, dilation, pads


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_random_windows(axes, ceil_mode, dtype, rng):
    tried = 0
    while tried < 6:
        kernel, stride, dilation, pads = window(rng, axes)
        shape = (*rng.integers(1, 3, 2).tolist(), *rng.integers(4, 8, axes).tolist())
        x = rng.integers(0, 12, shape).astype(dtype)
        arguments = dict(stride=stride, dilation=dilation, padding=pads, ceil_mode=ceil_mode)
        try:
            values, taps = unpool.max_pool(x, kernel, **arguments)
        except ValueError:
            continue
        tried += 1
        expected, argmax, where = plain.max_pool(x, kernel, stride, dilation, pads, ceil_mode)
        assert same_bits(values, expected) and same_bits(taps.array, argmax)
        assert same_bits(unpool.max_pool_values(x, kernel, **arguments), expected)
        for overlap in ("last", "sum"):
            made = unpool.max_unpool(values, taps, overlap=overlap)
            assert same_bits(made, plain.unpool(values, where, shape, overlap))
        assert same_bits(
            unpool.max_pool_backward(values, taps), plain.unpool(values, where, shape, "sum")
        )
        assert same_bits(
            unpool.max_unpool_backward(x, taps), plain.gather(x, where, values.shape)
        )
        indices = taps.indices("plane")
        for overlap in ("last", "sum"):
            made = unpool.scatter(values, indices, shape, overlap=overlap)
            assert same_bits(made, plain.unpool(values, where, shape, overlap))


def test_indices_of_every_space(rng):
    x = rng.standard_normal((2, 3, 5, 7)).astype(np.float32)
    _, taps = unpool.max_pool(x, 3, stride=2, padding=1)
    _, _, where = plain.max_pool(x, [3, 3], [2, 2], [1, 1], [(1, 1), (1, 1)])
    _, channels, height, width = x.shape
    formulas = {
        "plane": lambda n, c, y, x: y * width + x,
        "image": lambda n, c, y, x: (y * width + x) * channels + c,
        "batch": lambda n, c, y, x: ((n * height + y) * width + x) * channels + c,
        "tensor": lambda n, c, y, x: ((n * channels + c) * height + y) * width + x,
        "tensor-column-major": lambda n, c, y, x: (n * channels + c) * height * width + y + x * height,
    }
    for space, formula in formulas.items():
        expected = np.empty(taps.shape, np.int64)
        for q, at in where.items():
            expected[q] = formula(*q[:2], *at)
        assert same_bits(taps.indices(space), expected)
        assert unpool.Taps.from_indices(expected, taps.geometry, space) == taps
        for other in formulas:
            converted = unpool.convert_indices(expected, taps.geometry, space, other)
            assert same_bits(converted, taps.indices(other))
        restored = unpool.scatter(taps.array.astype(np.int32), expected, x.shape, space=space)
        assert restored.shape == x.shape


def test_windows_of_more_than_255_cells_have_taps_of_two_bytes(rng):
    x = rng.standard_normal((1, 1, 40, 40)).astype(np.float32)
    values, taps = unpool.max_pool(x, 20)
    assert taps.array.dtype == np.uint16
    _, argmax, _ = plain.max_pool(x, [20, 20], [20, 20], [1, 1], [(0, 0), (0, 0)])
    assert same_bits(taps.array, argmax)
    assert same_bits(unpool.max_pool_values(unpool.max_unpool(values, taps), 20).clip(min=0), values)


def test_nan_wins_ties_go_first_and_zeros_tie():
    x = np.array([0.0, -0.0, np.nan, 1.0, 2.0, 2.0, -np.inf, -np.inf], np.float32)
    values, taps = unpool.max_pool(x, 2, layout="l")
    assert taps.array.tolist() == [0, 0, 0, 0]
    assert np.isnan(values[1]) and values[3] == -np.inf
    assert not np.signbit(values[0])


def test_a_sum_that_does_not_fit_is_refused():
    x = np.array([1, 100, 2], np.int8)
    values, taps = unpool.max_pool(x, 2, stride=1, layout="l")
    with pytest.raises(ValueError, match="does not fit i8"):
        unpool.max_unpool(values, taps, overlap="sum")
