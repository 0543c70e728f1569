"""The order of an array's axes, by its letters. Batch and channels may be left out.

The library's shapes have both always. An axis that an array lacks is 1 in them, and is taken off
again from what is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_SPATIAL = {"l": 1, "w": 1, "hw": 2, "dhw": 3}
_NAMES = {"channels-first": "nchw", "channels-last": "nhwc"}


@dataclass(frozen=True)
class Axes:
    """An order of axes."""

    name: str
    batch: bool
    channels: bool
    #: "channels-first" or "channels-last".
    layout: str
    #: How many axes are spatial; one to three where it is left open.
    spatial: int | None

    def full(self, shape: tuple[int, ...], what: str = "x") -> tuple[int, ...]:
        """The shape with batch and channels of an array of this shape."""
        without = self.batch + self.channels
        if self.spatial is None:
            if not 3 <= len(shape) <= 5:
                raise ValueError(
                    f"{what} has shape {shape}; layout {self.name!r} takes 3 to 5 axes: batch, "
                    "channels and 1 to 3 spatial axes"
                )
        elif len(shape) != without + self.spatial:
            raise ValueError(
                f"{what} has shape {shape}; layout {self.name!r} takes {without + self.spatial} axes"
            )
        extents = list(shape)
        if not self.batch:
            extents.insert(0, 1)
        if not self.channels:
            extents.insert(1, 1)
        return tuple(extents)

    def own(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The extents of a full shape that an array of this order has axes for."""
        extents = list(shape)
        if not self.channels:
            del extents[1]
        if not self.batch:
            del extents[0]
        return tuple(extents)

    def expanded(self, array: Array) -> Array:
        """A view with batch and channels."""
        if not self.batch:
            array = array[np.newaxis]
        if not self.channels:
            array = array[:, np.newaxis]
        return array

    def reduced(self, array: Array) -> Array:
        """A view without the axes that arrays of this order lack."""
        if not self.channels:
            array = array[:, 0]
        if not self.batch:
            array = array[0]
        return array


@lru_cache(maxsize=64)
def axes(layout: str) -> Axes:
    """The order of axes of a name, in any case, such as ``"NCHW"``, ``"hwc"`` or ``"ncl"``."""
    if not isinstance(layout, str):
        raise TypeError(f"layout is {type(layout).__name__}; a string such as 'nchw' is allowed")
    name = layout.lower().replace("_", "-")
    name = _NAMES.get(name, name)
    batch = name.startswith("n")
    rest = name[1:] if batch else name
    first, last = rest.startswith("c"), rest.endswith("c")
    letters = rest[1:] if first else rest[:-1] if last else rest
    if letters not in _SPATIAL:
        raise ValueError(
            f"layout {layout!r} is unknown; 'nchw' and 'nhwc' are allowed, without n (batch) or c "
            "(channels) too, such as 'chw' and 'hw'; with l or w for one spatial axis and dhw for "
            "three, such as 'ncl' and 'ndhwc'"
        )
    channels = first or last
    # These two are the names of the orders themselves, of any number of axes.
    is_open = batch and channels and letters == "hw"
    return Axes(
        name=name,
        batch=batch,
        channels=channels,
        layout="channels-last" if last and not first else "channels-first",
        spatial=None if is_open else _SPATIAL[letters],
    )
