"""What must be refused, and how."""

import copy
import pickle

import numpy as np
import pytest

import unpool

X = np.zeros((1, 1, 4, 4), np.float32)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (dict(kernel=0), ValueError, "kernel is 0 on axis 0"),
        (dict(kernel=-1), ValueError, "kernel has the number -1; 0 or more"),
        (dict(kernel=10**30), ValueError, "kernel has the number 10{30}"),
        (dict(kernel=2.5), TypeError, "kernel has float; integers are allowed"),
        (dict(kernel="2"), TypeError, "kernel has str"),
        (dict(kernel=None), TypeError, "kernel has NoneType"),
        (dict(kernel=()), ValueError, "kernel has 0 axes"),
        (dict(kernel=(2, 2, 2)), ValueError, "takes 5"),
        (dict(kernel=(1,) * 9), ValueError, "kernel has 9 axes"),
        (dict(kernel=5), ValueError, "no window fits on axis 0"),
        (dict(kernel=2, stride=0), ValueError, "stride is 0"),
        (dict(kernel=2, stride=(1, 2, 3)), ValueError, "stride has 3 numbers"),
        (dict(kernel=2, dilation=0), ValueError, "dilation is 0"),
        (dict(kernel=2, padding="full"), ValueError, "padding \"full\" is unknown; valid, same"),
        (dict(kernel=2, padding=-1), ValueError, "padding has the number -1"),
        (dict(kernel=2, padding=[(1, 2, 3), (0, 0)]), ValueError, "3 numbers for an axis"),
        (dict(kernel=2, padding=2**62), ValueError, "coordinate"),
        (dict(kernel=2, padding=9), ValueError, "holds no cell of the input"),
        (dict(kernel=2, layout="nchwd"), ValueError, "layout 'nchwd' is unknown"),
        (dict(kernel=2, layout=3), TypeError, "layout is int"),
        (dict(kernel=2, layout="hw"), ValueError, "layout 'hw' takes 2 axes"),
        (dict(kernel=2, device="no such adapter"), ValueError, "no adapter"),
        (dict(kernel=2, out=np.zeros((1, 1, 2, 3), "f")), ValueError, "out has shape"),
        (dict(kernel=2, out=np.zeros((1, 1, 2, 2), "d")), TypeError, "out holds float64; float32"),
        (dict(kernel=2, out=[1]), TypeError, "out is list"),
    ],
)
def test_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        unpool.max_pool(X, **arguments)


@pytest.mark.parametrize("kind", ["f8", "i8", "u8", "?", "O", "c8", "S3", "U3", "M8[s]", "i2"])
def test_other_types_of_elements(kind):
    with pytest.raises(TypeError, match="are allowed"):
        unpool.max_pool(np.zeros((1, 1, 4, 4), kind), 2)


@pytest.mark.parametrize("x", [None, "x", [[1.0]], {}, object()])
def test_no_arrays(x):
    with pytest.raises((TypeError, ValueError)):
        unpool.max_pool(x, 2)


def test_read_only_out():
    out = np.zeros((1, 1, 2, 2), np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only"):
        unpool.max_pool(X, 2, out=out)
    with pytest.raises(ValueError, match="out is read-only"):
        unpool.max_pool_values(np.broadcast_to(X, (3, 1, 4, 4)), 2, out=np.broadcast_to(out, (3, 1, 2, 2)))


def test_values_and_taps_in_one_array():
    memory = np.zeros((1, 1, 2, 2), np.uint8)
    with pytest.raises(ValueError, match="share memory"):
        unpool.max_pool(X.astype(np.uint8), 2, out=(memory, memory))


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_zero_sizes(axis):
    shape = [2, 3, 4, 4]
    shape[axis] = 0
    x = np.zeros(shape, np.float32)
    if axis == 0:
        values, taps = unpool.max_pool(x, 2)
        assert values.shape == (0, 3, 2, 2)
        assert unpool.max_unpool(values, taps).shape == x.shape
        assert taps.indices().shape == values.shape
        assert unpool.scatter(values, taps.indices(), x.shape).shape == x.shape
    else:
        with pytest.raises(ValueError):
            unpool.max_pool(x, 2)


def test_wrong_shapes_and_taps():
    values, taps = unpool.max_pool(X, 2)
    with pytest.raises(ValueError, match="values has shape .*; the taps take"):
        unpool.max_unpool(values[..., :1], taps)
    with pytest.raises(ValueError, match="grad_output has shape"):
        unpool.max_unpool_backward(values, taps)
    with pytest.raises(TypeError, match="taps is ndarray"):
        unpool.max_unpool(values, taps.array)
    with pytest.raises(ValueError, match="overlap \"mean\" is unknown; last and sum are allowed"):
        unpool.max_unpool(values, taps, overlap="mean")
    with pytest.raises(ValueError, match="index space \"row\" is unknown"):
        taps.indices("row")
    with pytest.raises(TypeError, match="taps hold uint16"):
        unpool.Taps(taps.array.astype(np.uint16), taps.geometry)
    with pytest.raises(ValueError, match="taps have shape"):
        unpool.Taps(taps.array[0], taps.geometry)
    with pytest.raises(ValueError, match="differs from that of the geometry"):
        unpool.Taps(taps.array, taps.geometry, "nhwc")
    with pytest.raises(TypeError, match="geometry is int"):
        unpool.Taps(taps.array, 3)


def test_taps_that_name_no_cell_unpool_to_nothing():
    values, taps = unpool.max_pool(X + 1, 2)
    none = unpool.Taps(np.full(taps.shape, 255, np.uint8), taps.geometry)
    assert not unpool.max_unpool(values, none).any()
    assert (none.indices() == -1).all()
    for tap in range(256):
        other = unpool.Taps(np.full(taps.shape, tap, np.uint8), taps.geometry)
        unpool.max_pool_backward(values, other)
        unpool.max_unpool_backward(X, other)


@pytest.mark.parametrize("index", [-1, 16, 2, 2**62, -(2**63)])
def test_indices_outside_their_window(index):
    geometry = unpool.Geometry((1, 1, 4, 4), 2)
    with pytest.raises(ValueError, match=f"index {index} at element 0 names no cell of its window"):
        unpool.Taps.from_indices(np.array([[[[index, 2], [8, 10]]]]), geometry)


@pytest.mark.parametrize(
    "indices, error",
    [
        (np.array([[[[-1]]]]), ValueError),
        (np.array([[[[16]]]]), ValueError),
        (np.array([[[[2**63]]]], np.uint64), ValueError),
        (np.array([[[[1.0]]]]), TypeError),
        (np.array([[[["a"]]]]), TypeError),
        (np.array([[[[True]]]]), TypeError),
        (np.array([1]), ValueError),
    ],
)
def test_scatter_by_indices_that_are_none(indices, error):
    with pytest.raises(error):
        unpool.scatter(np.ones((1, 1, 1, 1), np.float32), indices, (1, 1, 4, 4))


@pytest.mark.parametrize(
    "shape, error",
    [
        ((1, 1, 4), ValueError), ((2, 1, 4, 4), ValueError), ((1, 1, 0, 4), ValueError),
        ((1, 1, -1, 4), ValueError), ((1, 1, 2**40, 2**40), ValueError), (4, TypeError),
        ((1, 1, 1.5, 4), TypeError), ((1, 1, 2**70, 4), ValueError),
    ],
)
def test_scatter_to_shapes_that_are_none(shape, error):
    one = np.ones((1, 1, 1, 1), np.float32)
    with pytest.raises(error):
        unpool.scatter(one, one.astype(int), shape)


def test_scatter_to_more_than_there_is_memory():
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (24 << 30, hard))
    one = np.ones((1, 1, 1, 1), np.float32)
    shape = (1, 1, 65535, 65535)
    try:
        with pytest.raises(MemoryError):
            unpool.scatter(one, one.astype(int), shape, overlap="sum")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_pytorch_functions_refuse():
    with pytest.raises(ValueError, match="half the kernel"):
        unpool.max_pool2d(X, 2, padding=2)
    with pytest.raises(TypeError, match="numbers of cells"):
        unpool.max_pool2d(X, 2, padding="same")
    with pytest.raises(ValueError, match="3 or 4 axes are allowed"):
        unpool.max_pool2d(X[0, 0], 2)
    values, indices = unpool.max_pool2d(X, 2, return_indices=True)
    with pytest.raises(ValueError, match="output size 6 on axis 0; 3 to 5 are allowed"):
        unpool.max_unpool2d(values, indices, 2, output_size=(6, 4))
    with pytest.raises(ValueError, match="output_size has 1 numbers"):
        unpool.max_unpool2d(values, indices, 2, output_size=(4,))
    with pytest.raises(ValueError, match="indices have shape"):
        unpool.max_unpool2d(values, indices[..., :1], 2)


def test_copies_and_pickles(rng):
    x = rng.standard_normal((1, 2, 5, 5)).astype(np.float32)
    for padding in (None, "same", "same_lower", 1, [(1, 0), (0, 1)]):
        _, taps = unpool.max_pool(x, 3, stride=2, padding=padding, ceil_mode=True)
        for other in (pickle.loads(pickle.dumps(taps)), copy.deepcopy(taps), copy.copy(taps)):
            assert other == taps and other.geometry == taps.geometry and other.layout == taps.layout
            assert hash(other.geometry) == hash(taps.geometry)
