"""Max pooling and unpooling for PyTorch: functions and modules in place of PyTorch's own.

On CPU tensors, differentiable (twice, too), and as operators of ``torch.library``, so that
``torch.compile`` and ``torch.export`` see them as one node. Results are the same on every run, with
any number of threads, and for the backward pass a byte is kept for each value where PyTorch keeps
eight.

>>> import torch
>>> import unpool.torch
>>> x = torch.tensor([[[1.0, 5.0, 2.0, 3.0]]], requires_grad=True)
>>> values, indices = unpool.torch.max_pool1d(x, 2, return_indices=True)
>>> indices
tensor([[[1, 3]]])
>>> unpool.torch.max_unpool1d(values, indices, 2).sum().backward()
>>> x.grad
tensor([[[0., 1., 0., 1.]]])
"""

# No postponed annotations: torch.library reads the schemas of the operators from them.

from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np
import torch
from torch import Tensor

from . import _indices, _pool
from ._geometry import Geometry
from ._pytorch import _checked_padding, _checked_size
from ._taps import Taps

__all__ = [
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

Sizes = Union[int, Sequence[int]]


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
def _max_pool(
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


@_max_pool.register_fake
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
def _max_pool_backward(
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


@_max_pool_backward.register_fake
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
def _max_unpool_backward(
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


@_max_unpool_backward.register_fake
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
def _indices_of(
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


@_indices_of.register_fake
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
def _scatter(x: Tensor, indices: Tensor, size: Sequence[int], overlap: str) -> Tensor:
    made = _indices.scatter(
        _array(x),
        _array(indices),
        (*x.shape[:2], *size),
        overlap="sum" if overlap == "sum" else "last",
    )
    return _tensor(made, torch.contiguous_format)


@_scatter.register_fake
def _(x: Tensor, indices: Tensor, size: Sequence[int], overlap: str) -> Tensor:
    return x.new_empty((*x.shape[:2], *size))


def _keep_window(ctx: Any, inputs: Any, output: Any) -> None:
    x, *window = inputs
    ctx.save_for_backward(output[1])
    ctx.size, ctx.window = x.shape[2:], window


def _max_pool_gradient(ctx: Any, grad: Tensor, _: Any) -> tuple[Any, ...]:
    (taps,) = ctx.saved_tensors
    made = _max_pool_backward(grad, taps, ctx.size, *ctx.window)
    return made, None, None, None, None, None


def _keep_taps(ctx: Any, inputs: Any, output: Any) -> None:
    _, taps, *rest = inputs
    ctx.save_for_backward(taps)
    ctx.rest = rest


def _gradient_of_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    (taps,) = ctx.saved_tensors
    _, *window = ctx.rest
    return (_max_unpool_backward(grad, taps, *window), *[None] * 7)


def _keep_taps_and_size(ctx: Any, inputs: Any, output: Any) -> None:
    grad, taps, *window = inputs
    ctx.save_for_backward(taps)
    ctx.size, ctx.window = grad.shape[2:], window


def _gradient_of_unpool_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    (taps,) = ctx.saved_tensors
    return (_max_pool_backward(grad, taps, ctx.size, *ctx.window), *[None] * 6)


def _keep_indices(ctx: Any, inputs: Any, output: Any) -> None:
    ctx.save_for_backward(inputs[1])


def _gradient_of_scatter(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    (indices,) = ctx.saved_tensors
    made = grad.flatten(2).gather(2, indices.flatten(2)).view(indices.shape)
    return made, None, None, None


_max_pool.register_autograd(_max_pool_gradient, setup_context=_keep_window)
_max_pool_backward.register_autograd(_gradient_of_backward, setup_context=_keep_taps)
_max_unpool_backward.register_autograd(
    _gradient_of_unpool_backward, setup_context=_keep_taps_and_size
)
_scatter.register_autograd(_gradient_of_scatter, setup_context=_keep_indices)


def _list(sizes: Sizes, axes: int) -> list[int]:
    """A number for each axis."""
    if isinstance(sizes, int):
        return [sizes] * axes
    numbers = [int(n) for n in sizes]
    return numbers * axes if len(numbers) == 1 else numbers


def _batched(x: Tensor, axes: int) -> Tensor:
    if x.dim() not in (axes + 1, axes + 2):
        raise ValueError(
            f"input has shape {tuple(x.shape)}; {axes + 1} or {axes + 2} axes are allowed: batch "
            f"(which may be left out), channels and {axes} spatial"
        )
    return x if x.dim() == axes + 2 else x.unsqueeze(0)


def _pooled(
    axes: int,
    x: Tensor,
    kernel_size: Sizes,
    stride: Optional[Sizes],
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    full, kernel = _batched(x, axes), _list(kernel_size, axes)
    window = (
        kernel,
        kernel if stride is None else _list(stride, axes),
        _list(_checked_padding(padding, kernel, axes), axes),
        _list(dilation, axes),
        ceil_mode,
    )
    values, taps = _max_pool(full, *window)
    alone = x.dim() == axes + 1
    if not return_indices:
        return values.squeeze(0) if alone else values
    indices = _indices_of(taps, list(full.shape[2:]), *window)
    return (values.squeeze(0), indices.squeeze(0)) if alone else (values, indices)


def _unpooled(
    axes: int,
    x: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Optional[Sizes],
    padding: Sizes,
    output_size: Optional[Sequence[int]],
) -> Tensor:
    if indices.shape != x.shape:
        raise ValueError(
            f"indices have shape {tuple(indices.shape)}; the input has {tuple(x.shape)}"
        )
    full, kernel = _batched(x, axes), _list(kernel_size, axes)
    steps = kernel if stride is None else _list(stride, axes)
    pads = _list(padding, axes)
    size = tuple(
        (n - 1) * s + k - 2 * p for n, k, s, p in zip(full.shape[2:], kernel, steps, pads)
    )
    if output_size is not None:
        size = _checked_size(tuple(output_size), size, steps)
    made: Tensor = _scatter(full, _batched(indices, axes), list(size), "last")
    return made if x.dim() == axes + 2 else made.squeeze(0)


def _make_pool(axes: int) -> Any:
    def max_pool(
        input: Tensor,
        kernel_size: Sizes,
        stride: Optional[Sizes] = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        return _pooled(
            axes, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
        )

    return _named(max_pool, f"max_pool{axes}d")


def _make_unpool(axes: int) -> Any:
    def max_unpool(
        input: Tensor,
        indices: Tensor,
        kernel_size: Sizes,
        stride: Optional[Sizes] = None,
        padding: Sizes = 0,
        output_size: Optional[Sequence[int]] = None,
    ) -> Tensor:
        return _unpooled(axes, input, indices, kernel_size, stride, padding, output_size)

    return _named(max_unpool, f"max_unpool{axes}d")


def _named(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"``torch.nn.functional.{name}``, with its arguments, on a CPU tensor of float32, float16, "
        "bfloat16, int32, int8 or uint8."
    )
    return function


max_pool1d, max_pool2d, max_pool3d = map(_make_pool, (1, 2, 3))
max_unpool1d, max_unpool2d, max_unpool3d = map(_make_unpool, (1, 2, 3))


class _Pool:
    """The forward pass of a module of pooling."""

    def forward(self, input: Tensor) -> Any:
        own: Any = self
        return self._function(
            input,
            own.kernel_size,
            own.stride,
            own.padding,
            own.dilation,
            own.ceil_mode,
            own.return_indices,
        )

    _function: Any


class _Unpool:
    """The forward pass of a module of unpooling."""

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Optional[Sequence[int]] = None
    ) -> Tensor:
        own: Any = self
        made: Tensor = self._function(
            input, indices, own.kernel_size, own.stride, own.padding, output_size
        )
        return made

    _function: Any


class MaxPool1d(_Pool, torch.nn.MaxPool1d):
    """``torch.nn.MaxPool1d``, with its arguments."""

    _function = staticmethod(max_pool1d)


class MaxPool2d(_Pool, torch.nn.MaxPool2d):
    """``torch.nn.MaxPool2d``, with its arguments."""

    _function = staticmethod(max_pool2d)


class MaxPool3d(_Pool, torch.nn.MaxPool3d):
    """``torch.nn.MaxPool3d``, with its arguments."""

    _function = staticmethod(max_pool3d)


class MaxUnpool1d(_Unpool, torch.nn.MaxUnpool1d):
    """``torch.nn.MaxUnpool1d``, with its arguments."""

    _function = staticmethod(max_unpool1d)


class MaxUnpool2d(_Unpool, torch.nn.MaxUnpool2d):
    """``torch.nn.MaxUnpool2d``, with its arguments."""

    _function = staticmethod(max_unpool2d)


class MaxUnpool3d(_Unpool, torch.nn.MaxUnpool3d):
    """``torch.nn.MaxUnpool3d``, with its arguments."""

    _function = staticmethod(max_unpool3d)
