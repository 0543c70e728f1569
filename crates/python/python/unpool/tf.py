"""Functions in the shape of TensorFlow's, on arrays of NumPy with channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ._arrays import Array, as_array, indices_of
from ._geometry import Geometry
from ._indices import scatter
from ._pool import max_pool

__all__ = ["max_pool_with_argmax", "unpool"]

Sizes = int | Sequence[int]


def _pair(sizes: Sizes, what: str) -> list[int]:
    """Height and width of a `ksize` or `strides`: one number, two, or four of which two are 1."""
    if isinstance(sizes, (int, np.integer)):
        return [int(sizes)] * 2
    numbers = list(sizes)
    if len(numbers) == 1:
        return numbers * 2
    if len(numbers) == 4:
        if numbers[0] != 1 or numbers[3] != 1:
            raise ValueError(f"{what} is {numbers}; 1 for the batch and for the channels is allowed")
        return numbers[1:3]
    if len(numbers) == 2:
        return numbers
    raise ValueError(f"{what} has {len(numbers)} numbers; 1, 2 or 4 are allowed")


def max_pool_with_argmax(
    input: Any,
    ksize: Sizes,
    strides: Sizes,
    padding: Literal["VALID", "SAME"],
    output_dtype: Any = np.int64,
    include_batch_in_index: bool = False,
    *,
    device: str = "cpu",
) -> tuple[Array, Array]:
    """Max pooling as ``tf.nn.max_pool_with_argmax`` does it.

    Parameters
    ----------
    input : array_like
        ``(N, H, W, C)``.
    ksize, strides : int or sequence of int
        Height and width, or four numbers of which the first and the last are 1.
    padding : {"VALID", "SAME"}
        How the input is extended.
    output_dtype : {int64, int32}
        The type of the argmax.
    include_batch_in_index : bool
        Whether an index counts the images before its own.
    device : str
        As for `unpool.max_pool`.

    Returns
    -------
    output : ndarray
        The maxima.
    argmax : ndarray
        ``(y·W + x)·C + c`` of each, and with the batch ``((n·H + y)·W + x)·C + c``.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool.tf
    >>> x = np.array([[3, 9], [4, 1]], np.float32).reshape(1, 2, 2, 1)
    >>> output, argmax = unpool.tf.max_pool_with_argmax(x, 2, 2, "SAME")
    >>> output.item(), argmax.item()
    (9.0, 1)
    """
    kind = np.dtype(output_dtype)
    if kind not in (np.dtype(np.int64), np.dtype(np.int32)):
        raise TypeError(f"output_dtype is {kind.name}; int64 and int32 are allowed")
    if not isinstance(padding, str) or padding.upper() not in ("VALID", "SAME"):
        raise ValueError(f"padding is {padding!r}; 'VALID' and 'SAME' are allowed")
    array = as_array(input, "input")
    if array.ndim != 4:
        raise ValueError(f"input has shape {array.shape}; (N, H, W, C) is allowed")
    values, taps = max_pool(
        array,
        _pair(ksize, "ksize"),
        stride=_pair(strides, "strides"),
        padding=padding.lower(),
        layout="nhwc",
        device=device,
    )
    argmax = taps.indices("batch" if include_batch_in_index else "image")
    highest = np.iinfo(kind).max
    if argmax.size and argmax.max() > highest:
        raise ValueError(f"argmax reaches {argmax.max()}; {kind.name} holds at most {highest}")
    return values, argmax.astype(kind, copy=False)


def unpool(
    pooled: Any,
    argmax: Any,
    ksize: Sizes | None = None,
    strides: Sizes | None = None,
    padding: Literal["VALID", "SAME"] = "SAME",
    *,
    output_shape: Sequence[int] | None = None,
    include_batch_in_index: bool = False,
    overlap: Literal["last", "sum"] = "sum",
    device: str = "cpu",
) -> Array:
    """The unpooling that TensorFlow lacks (tensorflow#2169).

    Parameters
    ----------
    pooled : array_like
        ``(N, H, W, C)``.
    argmax : array_like of int
        What ``tf.nn.max_pool_with_argmax`` returned.
    ksize, strides : int or sequence of int, optional
        The window, which gives the shape of the output where `output_shape` does not. The strides
        are `ksize` by default.
    padding : {"VALID", "SAME"}
        The padding of the pooling; matters only without `output_shape`.
    output_shape : sequence of int, optional
        The shape that was pooled. Needed where that was no multiple of the strides: an index is
        flattened with that width, and another width reads other cells.
    include_batch_in_index : bool
        Whether the argmax counts the images before its own.
    overlap : {"sum", "last"}
        The value of a cell that several windows chose: the sum, as of ``tf.scatter_nd``, or the
        last in raster order.
    device : str
        As for `unpool.max_pool`.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> import unpool.tf
    >>> x = np.array([[3, 9, 5], [4, 1, 2]], np.float32).reshape(1, 2, 3, 1)
    >>> output, argmax = unpool.tf.max_pool_with_argmax(x, 2, 2, "SAME")
    >>> unpool.tf.unpool(output, argmax, output_shape=x.shape)[0, :, :, 0]
    array([[0., 9., 5.],
           [0., 0., 0.]], dtype=float32)
    """
    array = as_array(pooled, "pooled")
    if array.ndim != 4:
        raise ValueError(f"pooled has shape {array.shape}; (N, H, W, C) is allowed")
    if output_shape is None:
        if ksize is None:
            raise TypeError("ksize or output_shape is needed: each says the shape of the output")
        if not isinstance(padding, str) or padding.upper() not in ("VALID", "SAME"):
            raise ValueError(f"padding is {padding!r}; 'VALID' and 'SAME' are allowed")
        output_shape = Geometry.unpooled_shape(
            array.shape,
            _pair(ksize, "ksize"),
            stride=None if strides is None else _pair(strides, "strides"),
            padding=padding.lower(),
            layout="channels-last",
        )
    return scatter(
        array,
        indices_of(argmax, "argmax"),
        output_shape,
        space="batch" if include_batch_in_index else "image",
        overlap=overlap,
        layout="nhwc",
        device=device,
    )
