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

from collections.abc import Sequence
from typing import Any, Optional, Union

import torch
from torch import Tensor

from . import _torch_operators as operators
from ._pytorch import _checked_padding, _checked_size

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
    values, taps = operators.max_pool(full, *window)
    alone = x.dim() == axes + 1
    if not return_indices:
        return values.squeeze(0) if alone else values
    indices = operators.indices_of(taps, list(full.shape[2:]), *window)
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
    made: Tensor = operators.scatter(full, _batched(indices, axes), list(size), "last")
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
