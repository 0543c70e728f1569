"""Functions with the signatures of PyTorch, on arrays of NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._arrays import Array, as_array, indices_of
from ._geometry import Geometry
from ._indices import scatter
from ._pool import PerAxis, max_pool, max_pool_values

__all__ = [
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

_LETTERS = {1: "l", 2: "hw", 3: "dhw"}


def _layout(array: Array, axes: int, what: str) -> str:
    """The layout of an array with or without a batch."""
    if array.ndim not in (axes + 1, axes + 2):
        raise ValueError(
            f"{what} has shape {array.shape}; {axes + 1} or {axes + 2} axes are allowed: batch "
            f"(which may be left out), channels and {axes} spatial"
        )
    return ("n" if array.ndim == axes + 2 else "") + "c" + _LETTERS[axes]


def _per_axis(numbers: PerAxis, axes: int) -> PerAxis:
    """One number stands for every axis, also in a sequence, as in PyTorch."""
    if isinstance(numbers, Sequence) and not isinstance(numbers, str) and len(numbers) == 1:
        return [numbers[0]] * axes
    return numbers


def _pool(
    axes: int,
    x: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    dilation: PerAxis,
    ceil_mode: bool,
    return_indices: bool,
    device: str,
) -> Any:
    array = as_array(x, "input")
    layout = _layout(array, axes, "input")
    arguments: dict[str, Any] = {
        "stride": None if stride is None else _per_axis(stride, axes),
        "padding": _checked_padding(padding, kernel_size, axes),
        "dilation": _per_axis(dilation, axes),
        "ceil_mode": ceil_mode,
        "layout": layout,
        "device": device,
    }
    kernel = _per_axis(kernel_size, axes)
    if not return_indices:
        return max_pool_values(array, kernel, **arguments)
    values, taps = max_pool(array, kernel, **arguments)
    return values, taps.indices("plane")


def _checked_padding(padding: Any, kernel: PerAxis, axes: int) -> Any:
    """Padding by numbers of cells, at most half the kernel: PyTorch's rule."""
    if isinstance(padding, str):
        raise TypeError(f"padding is {padding!r}; numbers of cells are allowed")
    padding = _per_axis(padding, axes)
    cells = list(padding) if isinstance(padding, Sequence) else [padding] * axes
    sizes = _per_axis(kernel, axes)
    kernels = list(sizes) if isinstance(sizes, Sequence) else [sizes] * axes
    for axis, (pad, size) in enumerate(zip(cells, kernels)):
        try:
            too_much = pad > size // 2
        except TypeError:
            continue
        if too_much:
            raise ValueError(
                f"padding is {pad} on axis {axis}; at most {size // 2}, half the kernel of {size}, "
                "is allowed"
            )
    return padding


def _unpool(
    axes: int,
    x: Any,
    indices: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: PerAxis,
    output_size: Sequence[int] | None,
    device: str,
) -> Array:
    array, found = as_array(x, "input"), indices_of(indices)
    layout = _layout(array, axes, "input")
    if found.shape != array.shape:
        raise ValueError(f"indices have shape {found.shape}; the input has {array.shape}")
    around = array.shape[: array.ndim - axes]
    pooled = array.shape if array.ndim == axes + 2 else (1, *array.shape)
    kernel = _per_axis(kernel_size, axes)
    shape = Geometry.unpooled_shape(
        pooled,
        kernel,
        stride=None if stride is None else _per_axis(stride, axes),
        padding=_per_axis(padding, axes),
    )
    spatial = shape[2:]
    if output_size is not None:
        steps = kernel if stride is None else _per_axis(stride, axes)
        strides = list(steps) if isinstance(steps, Sequence) else [steps] * axes
        spatial = _checked_size(output_size, spatial, strides)
    return scatter(array, found, (*around, *spatial), layout=layout, device=device)


def _checked_size(
    output_size: Sequence[int], default: tuple[int, ...], strides: Sequence[int]
) -> tuple[int, ...]:
    """The spatial extents of an output size, each less than a stride from its default."""
    size, axes = tuple(output_size), len(default)
    if len(size) in (axes + 1, axes + 2):
        size = size[-axes:]
    if len(size) != axes:
        raise ValueError(
            f"output_size has {len(size)} numbers; {axes} are allowed, with channels, or with batch "
            "and channels, before them"
        )
    for axis, (found, usual, stride) in enumerate(zip(size, default, strides)):
        if not usual - stride < found < usual + stride:
            raise ValueError(
                f"output size {found} on axis {axis}; {max(usual - stride + 1, 1)} to "
                f"{usual + stride - 1} are allowed"
            )
    return size


_POOL = """Max pooling as ``torch.nn.functional.max_pool{n}d`` does it.

    Parameters
    ----------
    input : array_like
        ``({axes})``, or without N. Elements and memory order as for `max_pool`.
    kernel_size, stride, padding, dilation : int or sequence of int
        The window. The stride is the kernel by default.
    ceil_mode : bool
        Whether a last, partial window counts.
    return_indices : bool
        Whether to return where each maximum was: int64, flattened over the spatial axes.
    device : str
        As for `max_pool`.

    Returns
    -------
    ndarray, or tuple of ndarray
        The maxima, and with `return_indices` their indices.

    Examples
    --------
{example}"""

_UNPOOL = """Unpooling as ``torch.nn.functional.max_unpool{n}d`` does it.

    Parameters
    ----------
    input : array_like
        ``({axes})``, or without N.
    indices : array_like of int
        For each value the cell that it goes to, flattened over the spatial axes. Any cell is allowed,
        and the last value in raster order stays.
    kernel_size, stride, padding : int or sequence of int
        The window, which gives the size of the output.
    output_size : sequence of int, optional
        Another size, less than a stride away from that.
    device : str
        As for `max_pool`.

    Returns
    -------
    ndarray

    Examples
    --------
{example}"""


def max_pool1d(
    input: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    device: str = "cpu",
) -> Any:
    return _pool(
        1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, device
    )


def max_pool2d(
    input: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    device: str = "cpu",
) -> Any:
    return _pool(
        2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, device
    )


def max_pool3d(
    input: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
    *,
    device: str = "cpu",
) -> Any:
    return _pool(
        3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, device
    )


def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    output_size: Sequence[int] | None = None,
    *,
    device: str = "cpu",
) -> Array:
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size, device)


def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    output_size: Sequence[int] | None = None,
    *,
    device: str = "cpu",
) -> Array:
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size, device)


def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: PerAxis = 0,
    output_size: Sequence[int] | None = None,
    *,
    device: str = "cpu",
) -> Array:
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size, device)


_SHAPES = {1: "N, C, L", 2: "N, C, H, W", 3: "N, C, D, H, W"}
_ONES = {1: "(1, 1, 4)", 2: "(1, 1, 2, 2)", 3: "(1, 1, 1, 2, 2)"}
_KERNELS = {1: "4", 2: "2", 3: "(1, 2, 2)"}


def _document() -> None:
    """The docstrings of the six functions, which differ in their axes only."""
    start = "    >>> import numpy as np\n    >>> import unpool\n"
    for n, pool, unpool in (
        (1, max_pool1d, max_unpool1d),
        (2, max_pool2d, max_unpool2d),
        (3, max_pool3d, max_unpool3d),
    ):
        made = (
            start
            + f"    >>> x = np.array([3, 9, 4, 1], np.float32).reshape{_ONES[n]}\n"
            + f"    >>> values, indices = unpool.max_pool{n}d("
            + f"x, {_KERNELS[n]}, return_indices=True)\n"
        )
        shown = "    >>> values.item(), indices.item()\n    (9.0, 1)\n    "
        back = (
            f"    >>> unpool.max_unpool{n}d(values, indices, {_KERNELS[n]}).ravel()\n"
            "    array([0., 9., 0., 0.], dtype=float32)\n    "
        )
        pool.__doc__ = _POOL.format(n=n, axes=_SHAPES[n], example=made + shown)
        unpool.__doc__ = _UNPOOL.format(n=n, axes=_SHAPES[n], example=made + back)


_document()
