"""Max pooling, unpooling, and the gradients of both, on arrays of NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Union

import numpy as np

from . import _unpool
from ._arrays import Array, check_out, raw, tensor
from ._geometry import Geometry
from ._layout import axes
from ._orders import Order, Output
from ._taps import Taps, _dtype

__all__ = [
    "max_pool",
    "max_pool_backward",
    "max_pool_values",
    "max_unpool",
    "max_unpool_backward",
]

PerAxis = Union[int, Sequence[int]]
Padding = Union[str, int, Sequence[int], Sequence[Sequence[int]], None]


def max_pool(
    x: Any,
    kernel: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = None,
    dilation: PerAxis | None = None,
    ceil_mode: bool = False,
    layout: str = "nchw",
    device: str = "cpu",
    out: Array | tuple[Array | None, Array | None] | None = None,
) -> tuple[Array, Taps]:
    """Max pooling that remembers where each maximum was.

    Parameters
    ----------
    x : array_like
        The input: float32, float16, bfloat16 (of ``ml_dtypes``), int32, uint32, int8 or uint8, in
        any memory order. It is read where it lies if it is contiguous, with its channels first or
        last in memory; else it is copied. Tensors of other libraries are taken by DLPack.
    kernel : int or sequence of int
        Cells of the window on each spatial axis; one number stands for every axis.
    stride : int or sequence of int, optional
        Cells from one window to the next; by default the kernel.
    padding : {"valid", "same", "same_lower"}, int, sequence of int or of pairs, optional
        How the input is extended: by a rule; by as many cells on both sides, one number for every
        axis or one for each; or by a pair ``(before, after)`` for each axis. Padding is no value: a
        padded cell never wins.
    dilation : int or sequence of int, optional
        Cells from one cell of the window to the next; by default 1.
    ceil_mode : bool
        Whether a last, partial window counts.
    layout : str
        The order of the axes: ``"nchw"`` or ``"nhwc"`` with one to three spatial axes, or letters for
        exactly these axes, such as ``"hw"``, ``"chw"``, ``"hwc"``, ``"ncl"`` and ``"ndhwc"``.
    device : str
        ``"cpu"``, ``"auto"`` (a GPU if there is one), ``"gpu"`` (the best adapter), or a part of the
        name of an adapter or a backend. Every device gives the same bits.
    out : ndarray, or tuple of two ndarrays, optional
        The arrays to write: the values, or the values and the taps; either may be None.

    Returns
    -------
    values : ndarray
        The maxima, with the bits that they had in `x`.
    taps : Taps
        The number of the winning cell of each window, and the geometry.

    Raises
    ------
    ValueError
        If window and shape do not fit each other, or there is no such device.
    TypeError
        If `x` holds elements of another type.

    See Also
    --------
    max_unpool : puts the values back.
    max_pool_values : the values alone.

    Notes
    -----
    Ties go to the first cell in raster order; −0 and +0 tie. A NaN always wins, and of several the
    last, as in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool
    >>> x = np.array([[1, 9, 2, 0], [3, 4, 5, 8], [6, 6, 0, 0], [5, 2, 7, 1]], np.float32)
    >>> values, taps = unpool.max_pool(x, 2, layout="hw")
    >>> values
    array([[9., 8.],
           [6., 7.]], dtype=float32)
    >>> np.asarray(taps)
    array([[1, 3],
           [0, 2]], dtype=uint8)
    >>> unpool.max_unpool(values, taps)
    array([[0., 9., 0., 0.],
           [0., 0., 0., 8.],
           [6., 0., 0., 0.],
           [0., 0., 7., 0.]], dtype=float32)
    """
    out_values, out_taps = out if isinstance(out, tuple) and len(out) == 2 else (out, None)
    array, element = tensor(x, "x")
    order = axes(layout)
    geometry = Geometry(
        order.full(array.shape),
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
        layout=order.layout,
    )
    pooled, tap_type = geometry.pooled_shape, _dtype(geometry)
    if out_values is not None:
        check_out(out_values, order.own(pooled), array.dtype, "out")
        out_full = order.expanded(out_values)
    else:
        out_full = None
    if out_taps is not None:
        check_out(out_taps, order.own(pooled), tap_type, "out[1]")
        if out_values is not None:
            _check_apart(out_values, out_taps)
        taps_full = order.expanded(out_taps)
    else:
        taps_full = None
    full = order.expanded(array)
    memory = Order(order.layout, [full])
    values = Output(memory, pooled, array.dtype, out_full, [full])
    taps = Output(memory, pooled, tap_type, taps_full, [full])
    _unpool.max_pool(
        memory.geometry(geometry),
        element,
        raw(memory.input(full)),
        raw(values.array),
        raw(taps.array),
        device,
    )
    made = out_values if out_values is not None else None
    found = values.finish()
    argmax = taps.finish()
    return (
        made if made is not None else order.reduced(found),
        Taps(out_taps if out_taps is not None else order.reduced(argmax), geometry, order.name),
    )


def max_pool_values(
    x: Any,
    kernel: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = None,
    dilation: PerAxis | None = None,
    ceil_mode: bool = False,
    layout: str = "nchw",
    device: str = "cpu",
    out: Array | None = None,
) -> Array:
    """Max pooling without argmax: the values of `max_pool`, of which it takes the arguments.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool
    >>> unpool.max_pool_values(np.array([3, 1, 2, 5], np.uint8), 2, layout="l")
    array([3, 5], dtype=uint8)
    """
    array, element = tensor(x, "x")
    order = axes(layout)
    geometry = Geometry(
        order.full(array.shape),
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
        layout=order.layout,
    )
    pooled = geometry.pooled_shape
    if out is not None:
        check_out(out, order.own(pooled), array.dtype, "out")
    full = order.expanded(array)
    memory = Order(order.layout, [full])
    out_full = None if out is None else order.expanded(out)
    values = Output(memory, pooled, array.dtype, out_full, [full])
    _unpool.max_pool(
        memory.geometry(geometry),
        element,
        raw(memory.input(full)),
        raw(values.array),
        None,
        device,
    )
    made = values.finish()
    return out if out is not None else order.reduced(made)


def max_unpool(
    values: Any,
    taps: Taps,
    *,
    overlap: Literal["last", "sum"] = "last",
    device: str = "cpu",
    out: Array | None = None,
) -> Array:
    """Put pooled values back where they came from, and zero elsewhere.

    Parameters
    ----------
    values : array_like
        A value for each tap; those of the pooling, or any other.
    taps : Taps
        What `max_pool` returned.
    overlap : {"last", "sum"}
        The value of a cell that several windows chose: the last in raster order (ONNX, PyTorch on
        one thread), or their sum (``tf.scatter_nd``, every gradient).
    device : str
        As for `max_pool`.
    out : ndarray, optional
        The array to write.

    Returns
    -------
    ndarray
        An array of the shape that was pooled.

    Raises
    ------
    ValueError
        If the shapes differ, or a sum of integers does not fit their type.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool
    >>> x = np.array([1, 5, 2], np.int32)
    >>> values, taps = unpool.max_pool(x, 2, stride=1, layout="l")
    >>> unpool.max_unpool(values, taps)
    array([0, 5, 0], dtype=int32)
    >>> unpool.max_unpool(values, taps, overlap="sum")
    array([ 0, 10,  0], dtype=int32)
    """

    def run(geometry: Geometry, element: str, x: Array, argmax: Array, y: Array) -> None:
        _unpool.max_unpool(geometry, element, raw(x), raw(argmax), overlap, raw(y), device)

    return _by_taps(values, taps, out, "values", to_input=True, run=run)


def max_pool_backward(
    grad_output: Any, taps: Taps, *, device: str = "cpu", out: Array | None = None
) -> Array:
    """The gradient of `max_pool`: `max_unpool` of the gradient, summed where windows overlap.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the pooled values.
    taps : Taps
        What `max_pool` returned.
    device : str
        As for `max_pool`.
    out : ndarray, optional
        The array to write.

    Returns
    -------
    ndarray
        The gradient with respect to the input.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool
    >>> _, taps = unpool.max_pool(np.array([1, 5, 2], np.float32), 2, stride=1, layout="l")
    >>> unpool.max_pool_backward(np.array([0.5, 2], np.float32), taps)
    array([0. , 2.5, 0. ], dtype=float32)
    """

    def run(geometry: Geometry, element: str, x: Array, argmax: Array, y: Array) -> None:
        _unpool.max_pool_backward(geometry, element, raw(x), raw(argmax), raw(y), device)

    return _by_taps(grad_output, taps, out, "grad_output", to_input=True, run=run)


def max_unpool_backward(
    grad_output: Any, taps: Taps, *, device: str = "cpu", out: Array | None = None
) -> Array:
    """The gradient of `max_unpool`: read the cells that the taps name.

    Parameters
    ----------
    grad_output : array_like
        The gradient with respect to the unpooled array.
    taps : Taps
        What `max_pool` returned.
    device : str
        As for `max_pool`.
    out : ndarray, optional
        The array to write.

    Returns
    -------
    ndarray
        The gradient with respect to the pooled values. Where windows share a cell, each reads it.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool
    >>> _, taps = unpool.max_pool(np.array([1, 5, 2, 3], np.float32), 2, layout="l")
    >>> unpool.max_unpool_backward(np.array([10, 20, 30, 40], np.float32), taps)
    array([20., 40.], dtype=float32)
    """

    def run(geometry: Geometry, element: str, x: Array, argmax: Array, y: Array) -> None:
        _unpool.max_unpool_backward(geometry, element, raw(x), raw(argmax), raw(y), device)

    return _by_taps(grad_output, taps, out, "grad_output", to_input=False, run=run)


def _by_taps(
    x: Any, taps: Taps, out: Array | None, what: str, *, to_input: bool, run: Any
) -> Array:
    """Runs an operation that reads an array by taps, to the shape of the input or of the values."""
    if not isinstance(taps, Taps):
        raise TypeError(f"taps is {type(taps).__name__}; Taps, as max_pool returns, are allowed")
    argmax, geometry, order = taps._parts()
    array, element = tensor(x, what)
    pooled, unpooled = geometry.pooled_shape, geometry.input_shape
    source, target = (pooled, unpooled) if to_input else (unpooled, pooled)
    if array.shape != order.own(source):
        raise ValueError(f"{what} has shape {array.shape}; the taps take {order.own(source)}")
    if out is not None:
        check_out(out, order.own(target), array.dtype, "out")
    full, argmax = order.expanded(array), order.expanded(argmax)
    memory = Order(order.layout, [full, argmax])
    out_full = None if out is None else order.expanded(out)
    made = Output(memory, target, array.dtype, out_full, [full, argmax])
    run(
        memory.geometry(geometry), element, memory.input(full), memory.input(argmax), made.array
    )
    result = made.finish()
    return out if out is not None else order.reduced(result)


def _check_apart(a: Array, b: Array) -> None:
    if np.may_share_memory(a, b):
        raise ValueError("out has values and taps that share memory; arrays apart are needed")
