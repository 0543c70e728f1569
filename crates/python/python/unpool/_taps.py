"""`Taps`: the argmax of a pooling, with the geometry that reads it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._arrays import Array, as_array, check_out, indices_of, raw
from ._geometry import Geometry
from ._layout import Axes, axes
from ._orders import Order, Output
from . import _unpool

__all__ = ["Taps"]


class Taps:
    """The argmax of a pooling: the number of the winning cell inside each window.

    Cells of a window are numbered in raster order from 0. Taps know nothing of width, channels or
    batch; the geometry, which travels with them, says which cell of the input each names.

    Parameters
    ----------
    array : array_like of uint8, or of uint16 where the window has more than 255 cells
        A tap for each pooled value. It is not copied.
    geometry : Geometry
        The window and the shape of the input.
    layout : str, optional
        The order of the axes of `array`, as for `max_pool`; by default the geometry's.

    Notes
    -----
    ``numpy.asarray(taps)`` is `array`, without a copy. A tap that names no cell of the input
    unpools to nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool
    >>> x = np.array([[1, 9, 2, 0], [3, 4, 5, 8]], np.float32)
    >>> values, taps = unpool.max_pool(x, 2, layout="hw")
    >>> taps.array
    array([[1, 3]], dtype=uint8)
    >>> taps.indices("plane")
    array([[1, 7]])
    """

    __slots__ = ("_array", "_axes", "_geometry")

    def __init__(self, array: Any, geometry: Geometry, layout: str | None = None) -> None:
        if not isinstance(geometry, Geometry):
            raise TypeError(f"geometry is {type(geometry).__name__}; a Geometry is allowed")
        order = axes(layout or geometry.layout)
        if order.layout != geometry.layout:
            raise ValueError(f"layout {layout!r} differs from that of the geometry, {geometry.layout}")
        found = as_array(array, "array")
        allowed = _dtype(geometry)
        if found.dtype != allowed:
            raise TypeError(
                f"taps hold {found.dtype.name}; the taps of this window are {allowed.name}"
            )
        if order.full(found.shape, "array") != geometry.pooled_shape:
            raise ValueError(
                f"taps have shape {found.shape}; the geometry takes {order.own(geometry.pooled_shape)}"
            )
        self._array, self._geometry, self._axes = found, geometry, order

    @classmethod
    def from_indices(
        cls, indices: Any, geometry: Geometry, space: str = "plane", *, layout: str | None = None
    ) -> Taps:
        """Taps from the indices of another framework, each of which is checked.

        Parameters
        ----------
        indices : array_like of int
            An index for each pooled value.
        geometry : Geometry
            The window and the shape of the input.
        space : {"plane", "image", "batch", "tensor", "tensor-column-major"}
            How the indices are flattened; see `Taps.indices`.
        layout : str, optional
            The order of the axes of `indices`; by default the geometry's.

        Raises
        ------
        ValueError
            If an index names no cell of its window. The message has the first such index, and
            the first and the last that are allowed there.

        Examples
        --------
        >>> import unpool
        >>> geometry = unpool.Geometry((1, 1, 2, 4), 2)
        >>> unpool.Taps.from_indices([[[[1, 7]]]], geometry).array
        array([[[[1, 3]]]], dtype=uint8)
        """
        order = axes(layout or geometry.layout)
        found = indices_of(indices)
        if order.full(found.shape, "indices") != geometry.pooled_shape:
            raise ValueError(
                f"indices have shape {found.shape}; the geometry takes "
                f"{order.own(geometry.pooled_shape)}"
            )
        found = order.expanded(found)
        memory = Order(geometry.layout, [found])
        made = Output(memory, geometry.pooled_shape, _dtype(geometry), None)
        _unpool.from_indices(
            memory.geometry(geometry), raw(memory.input(found)), space, raw(made.array)
        )
        return cls(order.reduced(made.finish()), geometry, layout)

    @property
    def array(self) -> Array:
        """The taps as an array of uint8 or uint16."""
        return self._array

    @property
    def geometry(self) -> Geometry:
        """The window and the shape of the input that the taps are of."""
        return self._geometry

    @property
    def layout(self) -> str:
        """The order of the axes of `array`, such as ``"nchw"``."""
        return self._axes.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of `array`, which is that of the pooled values."""
        return self._array.shape

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape that was pooled, which unpooling restores."""
        return self._axes.own(self._geometry.input_shape)

    def indices(self, space: str = "plane", *, out: Array | None = None) -> Array:
        """The indices that another framework would have returned.

        Parameters
        ----------
        space : {"plane", "image", "batch", "tensor", "tensor-column-major"}
            How a position is flattened, without padding: ``y·W + x`` (``"plane"``: PyTorch),
            ``(y·W + x)·C + c`` (``"image"``: TensorFlow), ``((n·H + y)·W + x)·C + c``
            (``"batch"``: TensorFlow with ``include_batch_in_index``),
            ``((n·C + c)·H + y)·W + x`` (``"tensor"``: ONNX), and
            ``(n·C + c)·H·W + y + x·H`` (``"tensor-column-major"``: ONNX, ``storage_order=1``).
        out : ndarray of int64, optional
            The array to write.

        Returns
        -------
        ndarray of int64
            An index for each tap; -1 for a tap that names no cell of the input.

        Examples
        --------
        >>> import numpy as np
        >>> import unpool
        >>> x = np.arange(16, dtype=np.uint8).reshape(1, 2, 2, 4)
        >>> _, taps = unpool.max_pool(x, 2)
        >>> taps.indices("tensor").ravel()
        array([ 5,  7, 13, 15])
        """
        if out is not None:
            out = self._axes.expanded(check_out(out, self.shape, np.dtype(np.int64), "out"))
        found = self._axes.expanded(self._array)
        memory = Order(self._geometry.layout, [found])
        made = Output(memory, self._geometry.pooled_shape, np.dtype(np.int64), out, [found])
        _unpool.to_indices(
            memory.geometry(self._geometry), raw(memory.input(found)), space, raw(made.array)
        )
        return self._axes.reduced(made.finish())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy:
            return np.array(self._array, dtype=dtype)
        if copy is False and dtype is not None and np.dtype(dtype) != self._array.dtype:
            raise ValueError(f"taps hold {self._array.dtype.name}; {np.dtype(dtype)} needs a copy")
        return np.asarray(self._array, dtype=dtype)

    def __dlpack__(self, **arguments: Any) -> Any:
        return self._array.__dlpack__(**arguments)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Taps):
            return NotImplemented
        return self._geometry == other._geometry and np.array_equal(self._array, other._array)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Taps, (self._array, self._geometry, self._axes.name)

    def __repr__(self) -> str:
        return f"Taps(shape={self.shape}, {self._array.dtype.name}, {self._geometry!r})"

    def _parts(self) -> tuple[Array, Geometry, Axes]:
        return self._array, self._geometry, self._axes


def _dtype(geometry: Geometry) -> np.dtype[Any]:
    """The type of the taps of a geometry."""
    return np.dtype(np.uint8 if geometry.tap_width == 1 else np.uint16)
