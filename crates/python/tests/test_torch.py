"""`unpool.torch` against PyTorch itself, where it is installed."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.nn.functional as F  # noqa: E402

import unpool  # noqa: E402
import unpool.torch as ours  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

WINDOWS = [
    dict(kernel_size=2),
    dict(kernel_size=3, stride=2, padding=1),
    dict(kernel_size=3, stride=1, padding=1, dilation=2),
    dict(kernel_size=3, stride=2, ceil_mode=True),
]
SHAPES = {1: (2, 3, 11), 2: (2, 3, 9, 11), 3: (2, 2, 6, 7, 8)}
EVEN = {axes: tuple(n + n % 2 for n in shape) for axes, shape in SHAPES.items()}
KINDS = [torch.float32, torch.float16, torch.bfloat16, torch.int32, torch.int8, torch.uint8]


def tensor(shape, kind=torch.float32, **options):
    """Numbers of which no two are equal, in any order."""
    count = int(np.prod(shape))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(24))
    return (order % 120 if kind != torch.float32 else order / 8).to(kind).reshape(shape)


def both(name):
    return getattr(F, name), getattr(ours, name)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_pooling_and_its_gradients_are_those_of_pytorch(axes, window):
    theirs, own = both(f"max_pool{axes}d")
    results = []
    for pool in (theirs, own):
        x = tensor(SHAPES[axes]).requires_grad_()
        values, indices = pool(x, return_indices=True, **window)
        seed = tensor(values.shape)
        (grad,) = torch.autograd.grad(values, x, seed)
        alone = pool(x[0], **window)
        results.append((values, indices, grad, alone))
    for a, b in zip(*results):
        assert torch.equal(a, b) and a.dtype == b.dtype


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("size", [None, "other"])
def test_unpooling_and_its_gradients_are_those_of_pytorch(axes, size):
    theirs, own = both(f"max_unpool{axes}d")
    # Without a size, unpooling restores even extents only.
    shape = EVEN[axes] if size is None else SHAPES[axes]
    values, indices = both(f"max_pool{axes}d")[0](tensor(shape), 2, return_indices=True)
    output_size = None if size is None else shape
    results = []
    for unpool_ in (theirs, own):
        x = values.clone().requires_grad_()
        made = unpool_(x, indices, 2, output_size=output_size)
        (grad,) = torch.autograd.grad(made, x, tensor(made.shape))
        results.append((made, grad))
    for a, b in zip(*results):
        assert torch.equal(a, b)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_types(kind):
    x = tensor((2, 3, 8, 8), kind)
    values, indices = ours.max_pool2d(x, 2, return_indices=True)
    assert values.dtype == kind
    expected, where = F.max_pool2d(x.float(), 2, return_indices=True)
    assert torch.equal(values.float(), expected) and torch.equal(indices, where)


def test_channels_last_stays_channels_last():
    x = tensor((2, 3, 8, 8)).to(memory_format=torch.channels_last)
    values = ours.max_pool2d(x, 2)
    assert values.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(values, F.max_pool2d(x, 2))


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_gradcheck(window):
    # Whole numbers far apart, so that a step changes no argmax and single precision suffices.
    x = (tensor((1, 2, 6, 8)) * 8).requires_grad_()
    steps = dict(eps=0.25, atol=1e-2, rtol=1e-2)
    assert torch.autograd.gradcheck(lambda x: ours.max_pool2d(x, **window), (x,), **steps)
    assert torch.autograd.gradgradcheck(lambda x: ours.max_pool2d(x, **window), (x,), **steps)
    values, indices = ours.max_pool2d(x.detach(), 2, return_indices=True)
    values.requires_grad_()
    assert torch.autograd.gradcheck(lambda v: ours.max_unpool2d(v, indices, 2), (values,), **steps)


@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_opcheck(form):
    x = tensor((2, 3, 8, 9)).to(memory_format=form)
    window = ([3, 3], [2, 2], [1, 1], [1, 1], False)
    values, taps = torch.ops.unpool.max_pool(x, *window)
    indices = torch.ops.unpool.indices(taps, [8, 9], *window)
    grad = values.clone().requires_grad_()
    for name, arguments in (
        ("max_pool", (x.clone().requires_grad_(), *window)),
        ("max_pool_backward", (grad, taps, [8, 9], *window)),
        ("max_unpool_backward", (x.clone().requires_grad_(), taps, *window)),
        ("indices", (taps, [8, 9], *window)),
        ("scatter", (grad, indices, [8, 9], "last")),
    ):
        torch.library.opcheck(getattr(torch.ops.unpool, name).default, arguments)


def test_the_same_on_every_run():
    torch.use_deterministic_algorithms(True)
    try:
        x = tensor((2, 3, 16, 16)).requires_grad_()
        values, indices = ours.max_pool2d(x, 3, 1, 1, return_indices=True)
        first = ours.max_unpool2d(values, indices, 3, 1, 1)
        assert all(
            torch.equal(ours.max_unpool2d(values, indices, 3, 1, 1), first) for _ in range(8)
        )
        first.sum().backward()
    finally:
        torch.use_deterministic_algorithms(False)


def test_modules():
    x = tensor((2, 3, 8, 8))
    pool = ours.MaxPool2d(2, return_indices=True)
    values, indices = pool(x)
    expected, where = torch.nn.MaxPool2d(2, return_indices=True)(x)
    assert torch.equal(values, expected) and torch.equal(indices, where)
    restored = ours.MaxUnpool2d(2)(values, indices)
    assert torch.equal(restored, torch.nn.MaxUnpool2d(2)(expected, where))
    assert repr(pool) == repr(torch.nn.MaxPool2d(2, return_indices=True))
    for axes in (1, 3):
        pool = getattr(ours, f"MaxPool{axes}d")(2, return_indices=True)
        values, indices = pool(tensor(EVEN[axes]))
        getattr(ours, f"MaxUnpool{axes}d")(2)(values, indices)


def test_refusals():
    with pytest.raises(TypeError, match="x holds float64"):
        ours.max_pool2d(torch.zeros(1, 1, 4, 4, dtype=torch.float64), 2)
    with pytest.raises(ValueError, match="half the kernel"):
        ours.max_pool2d(torch.zeros(1, 1, 4, 4), 2, padding=2)
    with pytest.raises(NotImplementedError):
        ours.max_pool2d(torch.zeros(1, 1, 4, 4, device="meta").to("meta").to_sparse(), 2)


def test_dlpack_both_ways():
    x = tensor((2, 3, 8, 8))
    values, taps = unpool.max_pool(x, 2)
    assert torch.equal(torch.from_dlpack(values), F.max_pool2d(x, 2))
    assert torch.from_dlpack(taps).dtype == torch.uint8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert unpool.max_unpool(values, taps).shape == tuple(x.shape)
