"""Which order of axes an operation runs in, and the arrays that it writes.

An array whose channels come first by its axes may have them last in memory, as PyTorch's
``channels_last`` tensors do. Such arrays are pooled where they lie, and what is made of them lies
the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._arrays import Array, check_out, dense, is_dense
from ._geometry import Geometry

_OTHER = {"channels-first": "channels-last", "channels-last": "channels-first"}


def swapped(array: Array, layout: str) -> Array:
    """A view with the axes of the other layout."""
    if layout == "channels-first":
        return np.moveaxis(array, 1, -1)
    return np.moveaxis(array, -1, 1)


class Order:
    """The order of axes in which all operands of an operation are dense, or become so."""

    def __init__(self, layout: str, operands: Sequence[Array]) -> None:
        self._logical = layout
        self._swapped = not all(map(is_dense, operands)) and all(
            is_dense(swapped(operand, layout)) for operand in operands
        )

    @property
    def layout(self) -> str:
        """The layout that the operation runs in."""
        return _OTHER[self._logical] if self._swapped else self._logical

    def geometry(self, geometry: Geometry) -> Geometry:
        """The geometry in that layout."""
        return geometry.with_layout(self.layout) if self._swapped else geometry

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape in that layout."""
        if not self._swapped:
            return shape
        if self._logical == "channels-first":
            return (shape[0], *shape[2:], shape[1])
        return (shape[0], shape[-1], *shape[1:-1])

    def input(self, operand: Array) -> Array:
        """A dense array in that layout: a view, or a copy where it must be one."""
        return dense(swapped(operand, self._logical) if self._swapped else operand)

    def result(self, made: Array) -> Array:
        """A view with the axes that the caller knows."""
        return swapped(made, self.layout) if self._swapped else made


class Output:
    """An array that an operation writes: a new one, or the caller's."""

    def __init__(
        self,
        order: Order,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        out: Array | None,
        operands: Sequence[Array] = (),
        what: str = "out",
    ) -> None:
        """Takes `shape` and `out` with batch and channels, in the caller's layout."""
        self._order = order
        self._out: Array | None = None
        self.array: Array
        if out is not None:
            check_out(out, shape, dtype, what)
            view = swapped(out, order._logical) if order._swapped else out
            overlaps = any(np.may_share_memory(out, operand) for operand in operands)
            if is_dense(view) and not overlaps:
                self.array = view
                return
            self._out = out
        self.array = np.empty(order.shape(shape), dtype)

    def finish(self) -> Array:
        """The result, with the axes that the caller knows."""
        made = self._order.result(self.array)
        if self._out is not None:
            self._out[...] = made
            return self._out
        return made
