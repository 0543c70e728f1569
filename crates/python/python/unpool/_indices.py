"""Indices of other frameworks: conversion between their spaces, and scatter by any of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from . import _unpool
from ._arrays import Array, check_out, indices_of, raw, tensor
from ._geometry import Geometry
from ._layout import axes
from ._orders import Order, Output
from ._taps import Taps

__all__ = ["convert_indices", "scatter"]


def convert_indices(
    indices: Any, geometry: Geometry, source: str, target: str, *, layout: str | None = None
) -> Array:
    """Indices of one space as those of another, checked.

    Parameters
    ----------
    indices : array_like of int
        An index for each pooled value.
    geometry : Geometry
        The window and the shape of the input.
    source, target : {"plane", "image", "batch", "tensor", "tensor-column-major"}
        How the indices are flattened, and how they shall be; see `Taps.indices`.
    layout : str, optional
        The order of the axes of `indices`; by default the geometry's.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    ValueError
        If an index names no cell of its window.

    Examples
    --------
    PyTorch's indices as ONNX has them:

    >>> import unpool
    >>> geometry = unpool.Geometry((1, 2, 2, 2), 2)
    >>> unpool.convert_indices([[[[3]], [[0]]]], geometry, "plane", "tensor").ravel()
    array([3, 4])
    """
    return Taps.from_indices(indices, geometry, source, layout=layout).indices(target)


def scatter(
    values: Any,
    indices: Any,
    output_shape: Sequence[int],
    *,
    space: str = "plane",
    overlap: Literal["last", "sum"] = "last",
    index_shape: Sequence[int] | None = None,
    layout: str = "nchw",
    device: str = "cpu",
    out: Array | None = None,
) -> Array:
    """Unpooling by arbitrary indices, which no window need have made.

    Parameters
    ----------
    values : array_like
        The values, of any element type that `max_pool` takes.
    indices : array_like of int
        For each value the cell that it goes to.
    output_shape : sequence of int
        The shape of the output. Batch and channels are those of `values`.
    space : {"plane", "image", "batch", "tensor", "tensor-column-major"}
        How the indices are flattened; see `Taps.indices`.
    overlap : {"last", "sum"}
        The value of a cell that several indices name: the last in raster order, or the sum.
    index_shape : sequence of int, optional
        The shape in which the indices are flattened, if it is not `output_shape`. Its cells fill the
        corner of the output at the origin.
    layout, device, out
        As for `max_pool`.

    Returns
    -------
    ndarray
        An array of `output_shape`, zero where no value went.

    Raises
    ------
    ValueError
        If an index names no cell, or a sum of integers does not fit their type.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool
    >>> values = np.array([1, 2, 4], np.int32)
    >>> unpool.scatter(values, [3, 0, 3], (4,), layout="l")
    array([2, 0, 0, 4], dtype=int32)
    >>> unpool.scatter(values, [3, 0, 3], (4,), layout="l", overlap="sum")
    array([2, 0, 0, 5], dtype=int32)
    """
    array, element = tensor(values, "values")
    order = axes(layout)
    found = indices_of(indices)
    if found.shape != array.shape:
        raise ValueError(f"indices have shape {found.shape}; the values have {array.shape}")
    pooled = order.full(array.shape, "values")
    output = order.full(_extents(output_shape, "output_shape"), "output_shape")
    indexed = None
    if index_shape is not None:
        indexed = order.full(_extents(index_shape, "index_shape"), "index_shape")
    if out is not None:
        check_out(out, order.own(output), array.dtype, "out")
    full, found = order.expanded(array), order.expanded(found)
    memory = Order(order.layout, [full, found])
    out_full = None if out is None else order.expanded(out)
    _check_room(output, array.dtype)
    made = Output(memory, output, array.dtype, out_full, [full, found])
    _unpool.scatter(
        (
            memory.shape(pooled),
            memory.shape(output),
            None if indexed is None else memory.shape(indexed),
        ),
        memory.layout,
        space,
        element,
        raw(memory.input(full)),
        raw(memory.input(found)),
        overlap,
        raw(made.array),
        device,
    )
    result = made.finish()
    return out if out is not None else order.reduced(result)


def _check_room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuses an output that the library refuses, before memory is asked for."""
    elements = 1
    for extent in shape:
        elements *= extent
    if elements > 2**32 - 1:
        raise ValueError(
            f"the output tensor has {elements} elements; at most {2**32 - 1} are allowed"
        )


def _extents(shape: Sequence[int], what: str) -> tuple[int, ...]:
    try:
        extents = tuple(int(extent.__index__()) for extent in shape)
    except (AttributeError, TypeError) as error:
        raise TypeError(f"{what} is {shape!r}; a sequence of integers is allowed") from error
    if any(extent < 0 for extent in extents):
        raise ValueError(f"{what} is {extents}; extents of 0 or more are allowed")
    return extents
