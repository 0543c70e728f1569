"""What a `Network` says and takes: layers, units, maps and parts of images."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Layer", "Projection", "Region", "Rule", "Target", "Unit"]

Floats = npt.NDArray[np.float32]
Target = str | tuple[str, int] | tuple[str, int, int]
Rule = Literal["gradient", "deconvnet", "guided"]


class Layer(NamedTuple):
    """A node of a network that makes a tensor."""

    name: str
    #: As ONNX calls it.
    operator: str
    #: ``(batch, channels, …)``.
    shape: tuple[int, ...]
    channels: int
    #: Numbers it has learnt.
    parameters: int
    #: The names of what it reads, weights included.
    inputs: tuple[str, ...]
    #: Whether its channels come second or last: "channels-first" or "channels-last".
    layout: str
    #: Whether it has as many axes as the input, and more than one unit in each map.
    has_maps: bool


class Unit(NamedTuple):
    """A unit of a layer, in one image."""

    channel: int
    #: Its position in that channel, flattened.
    position: int
    #: Its response.
    value: float


class Projection(NamedTuple):
    """What looking back gives."""

    #: In the shape of the input.
    map: Floats
    #: For each image the unit that was looked back from, if the target is a single unit.
    units: list[Unit | None]


class Region(NamedTuple):
    """A part of an image. It may reach outside, where a window lies in the padding."""

    #: The first and the last cell on each spatial axis.
    axes: tuple[tuple[int, int], ...]
    #: Whether it is the whole image.
    whole: bool
