"""The compiled part of the package: flat arrays of bytes, and the names of their element types."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_Bytes = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]
_PerAxis = int | Sequence[int]
_Padding = str | int | Sequence[int] | Sequence[Sequence[int]] | None
_Tensor = tuple[_Floats, tuple[int, ...]]
_Unit = tuple[int, int, float] | None

class Geometry:
    """A pooling window over an input shape."""

    def __new__(
        cls,
        input_shape: Sequence[int],
        kernel: _PerAxis,
        *,
        stride: _PerAxis | None = None,
        padding: _Padding = None,
        dilation: _PerAxis | None = None,
        ceil_mode: bool = False,
        layout: str = "channels-first",
    ) -> Geometry: ...
    @staticmethod
    def for_pooled(
        pooled_shape: Sequence[int],
        kernel: _PerAxis,
        *,
        output_size: Sequence[int] | None = None,
        stride: _PerAxis | None = None,
        padding: _Padding = None,
        dilation: _PerAxis | None = None,
        ceil_mode: bool = False,
        layout: str = "channels-first",
    ) -> Geometry: ...
    @staticmethod
    def unpooled_shape(
        pooled_shape: Sequence[int],
        kernel: _PerAxis,
        *,
        stride: _PerAxis | None = None,
        padding: _Padding = None,
        layout: str = "channels-first",
    ) -> tuple[int, ...]: ...
    def with_layout(self, layout: str) -> Geometry: ...
    @property
    def kernel(self) -> tuple[int, ...]: ...
    @property
    def stride(self) -> tuple[int, ...]: ...
    @property
    def dilation(self) -> tuple[int, ...]: ...
    @property
    def padding(self) -> tuple[tuple[int, int], ...]: ...
    @property
    def ceil_mode(self) -> bool: ...
    @property
    def layout(self) -> str: ...
    @property
    def input_shape(self) -> tuple[int, ...]: ...
    @property
    def pooled_shape(self) -> tuple[int, ...]: ...
    @property
    def window_cells(self) -> int: ...
    @property
    def windows_overlap(self) -> bool: ...
    @property
    def tap_width(self) -> int: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

def max_pool(
    geometry: Geometry,
    element: str,
    input: _Bytes,
    values: _Bytes,
    taps: _Bytes | None,
    device: str,
) -> None: ...
def max_unpool(
    geometry: Geometry,
    element: str,
    values: _Bytes,
    taps: _Bytes,
    overlap: str,
    output: _Bytes,
    device: str,
) -> None: ...
def max_pool_backward(
    geometry: Geometry,
    element: str,
    grad_output: _Bytes,
    taps: _Bytes,
    grad_input: _Bytes,
    device: str,
) -> None: ...
def max_unpool_backward(
    geometry: Geometry,
    element: str,
    grad_output: _Bytes,
    taps: _Bytes,
    grad_input: _Bytes,
    device: str,
) -> None: ...
def to_indices(geometry: Geometry, taps: _Bytes, space: str, indices: _Bytes) -> None: ...
def from_indices(geometry: Geometry, indices: _Bytes, space: str, taps: _Bytes) -> None: ...
def scatter(
    shapes: tuple[Sequence[int], Sequence[int], Sequence[int] | None],
    layout: str,
    space: str,
    element: str,
    values: _Bytes,
    indices: _Bytes,
    overlap: str,
    output: _Bytes,
    device: str,
) -> None: ...
def describe(device: str) -> str: ...
def devices() -> list[str]: ...

class Network:
    """A network, and the session of the last images."""

    def __new__(
        cls,
        path: str | Path | None,
        content: bytes | None,
        keep: list[str] | None,
        relevance: bool,
        memory_limit: int | None,
        device: str,
    ) -> Network: ...
    @staticmethod
    def operators() -> list[str]: ...
    def input_dims(self) -> list[int | None] | None: ...
    def input_layout(self) -> str: ...
    def largest_pixel(self) -> float | None: ...
    def metadata(self, key: str) -> str | None: ...
    def layers(
        self, shape: list[int] | None
    ) -> list[tuple[str, str, list[int], int, int, list[str], str, bool]]: ...
    def ends(self, shape: list[int] | None) -> tuple[str, str, str | None]: ...
    def receptive_field(
        self, layer: str, position: int, shape: list[int] | None
    ) -> tuple[list[tuple[int, int]], bool]: ...
    def memory(self) -> tuple[int, int] | None: ...
    def forward(self, images: _Floats, shape: list[int]) -> _Tensor: ...
    def activation(self, layer: str) -> _Tensor: ...
    def look_back(
        self, layer: str, at: Any, by: str, end: str | None
    ) -> tuple[_Tensor, list[_Unit]]: ...
    def class_activation(self, method: str, layer: str, of: Any, at: str) -> _Tensor: ...
    def attribute(
        self,
        images: _Floats,
        shape: list[int],
        layer: str,
        of: Any,
        method: str,
        parameters: dict[str, Any],
    ) -> tuple[_Tensor, list[_Unit]]: ...
    def maximize(
        self,
        shape: list[int] | None,
        layer: str,
        of: Any,
        range: list[tuple[float, float]],
        counts: tuple[int, int, bool],
        rates: tuple[float, float, float],
    ) -> _Tensor: ...
    def strongest(
        self, images: _Floats, shape: list[int], layer: str, channel: int, count: int
    ) -> list[tuple[int, int, int, float]]: ...
    def vector_jacobian(self, layer: str, signal: _Floats, by: str) -> _Tensor: ...

def run_command(arguments: Sequence[str]) -> int: ...
def sheets(
    network: Network,
    name: str,
    pictures: Sequence[tuple[str, int, int, bytes]],
    options: Sequence[str],
    each: Callable[[], object],
) -> list[bytes]: ...
