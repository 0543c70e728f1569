"""The window and the shape of a pooling."""

from __future__ import annotations

from typing import Any

from ._unpool import Geometry

__all__ = ["Geometry"]


def _restore(
    input_shape: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    layout: str,
) -> Geometry:
    """Make a geometry of its parts: what pickle calls."""
    return Geometry(
        input_shape,
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
        layout=layout,
    )
