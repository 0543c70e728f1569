"""The operators ``unpool::…`` of ``torch.library``, on CPU tensors, with their gradients."""

# No postponed annotations: torch.library reads the schemas of the operators from them.

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import _indices, _pool
from ._geometry import Geometry
from ._taps import Taps

__all__ = ["indices_of", "max_pool", "scatter"]


def _array(tensor: Tensor) -> Any:
    """An array that shares the memory of a tensor."""
    tensor = tensor.detach().resolve_neg()
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def _tensor(array: Any, like: torch.memory_format) -> Tensor:
    """A tensor that shares the memory of an array, if it lies as it must."""
    if array.dtype.name == "bfloat16":
        made = torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    else:
        made = torch.from_numpy(array)
    return made.contiguous(memory_format=like)


def _format(tensor: Tensor) -> torch.memory_format:
    """Whether channels lie first or last in memory."""
    channels_last = {4: torch.channels_last, 5: torch.channels_last_3d}.get(tensor.dim())
    if channels_last is None or tensor.is_contiguous():
        return torch.contiguous_format
    is_last = tensor.is_contiguous(memory_format=channels_last)
    return channels_last if is_last else torch.contiguous_format


def _geometry(
    taps: Tensor,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Geometry:
    return Geometry(
        (*taps.shape[:2], *size),
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )


@torch.library.custom_op("unpool::max_pool", mutates_args=(), device_types="cpu")
def max_pool(
    x: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[Tensor, Tensor]:
    values, taps = _pool.max_pool(
        _array(x),
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    form = _format(x)
    return _tensor(values, form), _tensor(taps.array, form)


@max_pool.register_fake
def _(
    x: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[Tensor, Tensor]:
    spatial, cells = [], 1
    for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation):
        out = (n + 2 * p - (k - 1) * d - 1 + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (out - 1) * s >= n + p:
            out -= 1
        spatial.append(out)
        cells *= k
    shape = (*x.shape[:2], *spatial)
    form, kind = _format(x), torch.uint8 if cells <= 255 else torch.uint16
    values = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=form)
    return values, torch.empty(shape, dtype=kind, device=x.device, memory_format=form)


@torch.library.custom_op("unpool::max_pool_backward", mutates_args=(), device_types="cpu")
def max_pool_backward(
    grad: Tensor,
    taps: Tensor,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Tensor:
    geometry = _geometry(taps, size, kernel, stride, padding, dilation, ceil_mode)
    made = _pool.max_pool_backward(_array(grad), Taps(_array(taps), geometry))
    return _tensor(made, _format(taps))


@max_pool_backward.register_fake
def _(
    grad: Tensor,
    taps: Tensor,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Tensor:
    shape = (*taps.shape[:2], *size)
    return torch.empty(shape, dtype=grad.dtype, device=grad.device, memory_format=_format(taps))


@torch.library.custom_op("unpool::max_unpool_backward", mutates_args=(), device_types="cpu")
def max_unpool_backward(
    grad: Tensor,
    taps: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Tensor:
    size = grad.shape[2:]
    geometry = _geometry(taps, size, kernel, stride, padding, dilation, ceil_mode)
    made = _pool.max_unpool_backward(_array(grad), Taps(_array(taps), geometry))
    return _tensor(made, _format(taps))


@max_unpool_backward.register_fake
def _(
    grad: Tensor,
    taps: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Tensor:
    form = _format(taps)
    return torch.empty(taps.shape, dtype=grad.dtype, device=grad.device, memory_format=form)


@torch.library.custom_op("unpool::indices", mutates_args=(), device_types="cpu")
def indices_of(
    taps: Tensor,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Tensor:
    geometry = _geometry(taps, size, kernel, stride, padding, dilation, ceil_mode)
    return _tensor(Taps(_array(taps), geometry).indices("plane"), _format(taps))


@indices_of.register_fake
def _(
    taps: Tensor,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Tensor:
    form = _format(taps)
    return torch.empty(taps.shape, dtype=torch.int64, device=taps.device, memory_format=form)


@torch.library.custom_op("unpool::scatter", mutates_args=(), device_types="cpu")
def scatter(x: Tensor, indices: Tensor, size: Sequence[int], overlap: str) -> Tensor:
    made = _indices.scatter(
        _array(x),
        _array(indices),
        (*x.shape[:2], *size),
        overlap="sum" if overlap == "sum" else "last",
    )
    return _tensor(made, torch.contiguous_format)


@scatter.register_fake
def _(x: Tensor, indices: Tensor, size: Sequence[int], overlap: str) -> Tensor:
    return x.new_empty((*x.shape[:2], *size))


def _keep_window(ctx: Any, inputs: Any, output: Any) -> None:
    x, *window = inputs
    ctx.save_for_backward(output[1])
    ctx.size, ctx.window = x.shape[2:], window


def _max_pool_gradient(ctx: Any, grad: Tensor, _: Any) -> tuple[Any, ...]:
    (taps,) = ctx.saved_tensors
    made = max_pool_backward(grad, taps, ctx.size, *ctx.window)
    return made, None, None, None, None, None


def _keep_taps(ctx: Any, inputs: Any, output: Any) -> None:
    _, taps, *rest = inputs
    ctx.save_for_backward(taps)
    ctx.rest = rest


def _gradient_of_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    (taps,) = ctx.saved_tensors
    _, *window = ctx.rest
    return (max_unpool_backward(grad, taps, *window), *[None] * 7)


def _keep_taps_and_size(ctx: Any, inputs: Any, output: Any) -> None:
    grad, taps, *window = inputs
    ctx.save_for_backward(taps)
    ctx.size, ctx.window = grad.shape[2:], window


def _gradient_of_unpool_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    (taps,) = ctx.saved_tensors
    return (max_pool_backward(grad, taps, ctx.size, *ctx.window), *[None] * 6)


def _keep_indices(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.save_for_backward(inputs[1])


def _gradient_of_scatter(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    (indices,) = ctx.saved_tensors
    made = grad.flatten(2).gather(2, indices.flatten(2)).view(indices.shape)
    return made, None, None, None


max_pool.register_autograd(_max_pool_gradient, setup_context=_keep_window)
max_pool_backward.register_autograd(_gradient_of_backward, setup_context=_keep_taps)
max_unpool_backward.register_autograd(
    _gradient_of_unpool_backward, setup_context=_keep_taps_and_size
)
scatter.register_autograd(_gradient_of_scatter, setup_context=_keep_indices)
