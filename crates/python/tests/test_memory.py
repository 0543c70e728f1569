"""Memory orders, results in arrays of the caller, and copies that are not made."""

import numpy as np
import pytest

import unpool
from conftest import same_bits
from unpool import _arrays, _orders

ORDERS = {
    "c": lambda x: x,
    "fortran": np.asfortranarray,
    "channels last": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1),
    "every other": lambda x: np.repeat(x, 2, axis=3)[..., ::2],
    "reversed": lambda x: x[:, :, ::-1].copy()[:, :, ::-1],
    "byte order": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "unaligned": lambda x: unaligned(x),
    "read-only": lambda x: frozen(x),
}


def unaligned(x):
    raw = np.empty(x.nbytes + 1, np.uint8)
    made = raw[1:].view(x.dtype).reshape(x.shape)
    made[...] = x
    return made


def frozen(x):
    x = x.copy()
    x.flags.writeable = False
    return x


@pytest.fixture
def x(rng):
    return rng.standard_normal((2, 3, 6, 8)).astype(np.float32)


@pytest.mark.parametrize("order", ORDERS)
def test_every_memory_order_gives_the_same(order, x):
    values, taps = unpool.max_pool(x, 3, stride=2, padding=1)
    restored = unpool.max_unpool(values, taps)
    own = ORDERS[order](x)
    found, argmax = unpool.max_pool(own, 3, stride=2, padding=1)
    assert same_bits(found, values) and argmax == taps
    assert same_bits(unpool.max_unpool(found, argmax), restored)
    assert same_bits(unpool.max_unpool(ORDERS[order](values), taps), restored)
    for space in ("plane", "image", "batch", "tensor", "tensor_column_major"):
        assert same_bits(argmax.indices(space), taps.indices(space))
    indices = taps.indices()
    scattered = unpool.scatter(ORDERS[order](values), ORDERS[order](indices), x.shape)
    assert same_bits(scattered, unpool.scatter(values, indices, x.shape))
    assert same_bits(unpool.max_unpool_backward(own, taps), unpool.max_unpool_backward(x, taps))


@pytest.mark.parametrize("order", ["c", "channels last", "read-only"])
def test_contiguous_arrays_are_not_copied(order, x, monkeypatch):
    def refuse(array):
        assert _arrays.is_dense(array), "a copy"
        return array

    monkeypatch.setattr(_orders, "dense", refuse)
    own = ORDERS[order](x)
    values, taps = unpool.max_pool(own, 2)
    unpool.max_unpool(values, taps)
    unpool.max_pool_backward(values, taps)
    unpool.max_unpool_backward(own, taps)


def test_results_lie_in_memory_as_the_input_does(x):
    values, taps = unpool.max_pool(ORDERS["channels last"](x), 2)
    assert np.moveaxis(values, 1, -1).flags.c_contiguous
    assert np.moveaxis(unpool.max_unpool(values, taps), 1, -1).flags.c_contiguous


@pytest.mark.parametrize("layout", ["nchw", "nhwc", "chw", "hwc", "hw", "nhw"])
def test_every_layout(layout, rng):
    extents = {"n": 2, "c": 3, "h": 5, "w": 7}
    x = rng.standard_normal([extents[letter] for letter in layout]).astype(np.float32)
    values, taps = unpool.max_pool(x, 2, padding="same", layout=layout)
    pooled = {"n": 2, "c": 3, "h": 3, "w": 4}
    assert values.shape == tuple(pooled[letter] for letter in layout) == taps.shape
    full = x
    if "n" not in layout:
        full = full[None]
    if "c" not in layout:
        full = full[:, None]
    elif layout.endswith("c"):
        full = np.moveaxis(full, -1, 1)
    expected = unpool.max_pool_values(full, 2, padding="same")
    assert sorted(values.ravel().tolist()) == sorted(expected.ravel().tolist())
    assert unpool.max_unpool(values, taps).shape == x.shape == taps.input_shape


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_out_is_written_and_returned(layout, x):
    values, taps = unpool.max_pool(x, 2, layout=layout)
    for make in (np.empty, lambda shape, dtype: np.empty(shape[::-1], dtype).T):
        out = make(values.shape, values.dtype)
        argmax = make(values.shape, np.uint8)
        found, made = unpool.max_pool(x, 2, layout=layout, out=(out, argmax))
        assert found is out and made.array is argmax
        assert same_bits(out, values) and made == taps
        found, made = unpool.max_pool(x, 2, layout=layout, out=out)
        assert found is out and made == taps
        assert unpool.max_pool_values(x, 2, layout=layout, out=out) is out
        back = make(x.shape, x.dtype)
        assert unpool.max_unpool(values, taps, out=back) is back
        assert same_bits(back, unpool.max_unpool(values, taps))
        assert unpool.max_pool_backward(values, taps, out=back) is back
        assert unpool.max_unpool_backward(x, taps, out=out) is out
        indices = make(values.shape, np.int64)
        assert taps.indices("image", out=indices) is indices
        assert same_bits(indices, taps.indices("image"))
        assert unpool.scatter(values, indices, x.shape, space="image", layout=layout, out=back) is back


def test_out_may_be_the_input(x):
    expected = unpool.max_pool_values(x, 1)
    values, _ = unpool.max_pool(x, 1, out=x)
    assert values is x and same_bits(x, expected)


def test_dlpack_goes_in_and_out(x):
    class Foreign:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **arguments):
            return self.array.__dlpack__(**arguments)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    values, taps = unpool.max_pool(Foreign(x), 2)
    assert same_bits(values, unpool.max_pool_values(x, 2))
    assert np.shares_memory(np.from_dlpack(taps), taps.array)
    assert np.shares_memory(_arrays.as_array(Foreign(x), "x"), x)

    class OnDevice(Foreign):
        def __dlpack_device__(self):
            return (2, 0)

    with pytest.raises(ValueError, match="DLPack device 2; a CPU tensor is allowed"):
        unpool.max_pool(OnDevice(x), 2)
