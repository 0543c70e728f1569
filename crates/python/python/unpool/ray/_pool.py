"""Pooling an array, and unpooling what was pooled, as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np

from .. import Taps, describe, max_pool, max_unpool
from .._arrays import Array
from .._geometry import _restore
from .._images import array_of, opened
from ._parquet import table_file

__all__ = ["FORMATS", "Pool", "Unpool", "read_pooled"]

FORMATS = ("npz", "parquet")
_LAYOUTS = {1: "l", 2: "hw", 3: "chw", 4: "nchw", 5: "ncdhw"}


class Pool:
    """The work of `unpool.ray.pool` on one array."""

    def __init__(self, window: dict[str, Any], layout: str | None, format: str, device: str) -> None:
        if format not in FORMATS:
            raise ValueError(f"format is {format!r}; {list(FORMATS)} are allowed")
        self.format = format
        self._window = window
        self._layout = layout
        self._device = device

    def job(self) -> dict[str, Any]:
        """All that the results depend on, besides the arrays. No device: all give the same bits."""
        return {"operation": "pool", **self._window, "layout": self._layout}

    def start(self) -> str:
        """What computes, in words."""
        return describe(self._device)

    def compute(self, content: bytes | Array) -> tuple[Array, Taps]:
        """Values and taps of one array, or of the pixels of an image."""
        array, layout = array_of(content), self._layout
        if array is None:
            assert isinstance(content, bytes), "a content without an array is a file"
            picture = opened(content)
            array = np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))
            layout = layout or ("hw" if array.ndim == 2 else "hwc")
        layout = layout or _LAYOUTS.get(array.ndim)
        if layout is None:
            raise ValueError(f"an array has {array.ndim} axes; 1 to 5 are allowed")
        return max_pool(array, **self._window, layout=layout, device=self._device)

    def marker(self, part: str) -> str:
        """The file of a part."""
        return f"parts/{part}.parquet" if self.format == "parquet" else f"items/{part}.npz"

    def files(
        self, part: str, results: Sequence[tuple[str, tuple[Array, Taps]]]
    ) -> list[tuple[str, bytes]]:
        """The file of a part."""
        if self.format == "parquet":
            return [(self.marker(part), _table(results))]
        return [(self.marker(part), _archive(*pooled)) for _, pooled in results]


class Unpool:
    """The work of `unpool.ray.unpool` on one archive of values and taps."""

    format = "npy"

    def __init__(self, overlap: Any, device: str) -> None:
        if overlap not in ("last", "sum"):
            raise ValueError(f'overlap is {overlap!r}; "last" and "sum" are allowed')
        self._overlap = overlap
        self._device = device

    def job(self) -> dict[str, Any]:
        """All that the results depend on, besides the archives."""
        return {"operation": "unpool", "overlap": self._overlap}

    def start(self) -> str:
        """What computes, in words."""
        return describe(self._device)

    def compute(self, content: bytes | Array) -> Array:
        """The unpooled array of one archive."""
        if not isinstance(content, bytes):
            raise ValueError("an array was given; an archive of values and taps is needed")
        values, taps = read_pooled(content)
        return max_unpool(values, taps, overlap=self._overlap, device=self._device)

    def marker(self, part: str) -> str:
        """The file of a part."""
        return f"items/{part}.npy"

    def files(self, part: str, results: Sequence[tuple[str, Array]]) -> list[tuple[str, bytes]]:
        """The file of a part."""
        return [(self.marker(part), _saved(array)) for _, array in results]


def read_pooled(content: bytes) -> tuple[Array, Taps]:
    """Values and taps of an archive's bytes."""
    with np.load(BytesIO(content), allow_pickle=False) as archive:
        missing = {"values", "taps", "geometry"} - set(archive.files)
        if missing:
            raise ValueError(f"the archive lacks {sorted(missing)}; those that pool wrote have them")
        said = json.loads(str(archive["geometry"]))
        values, taps = archive["values"], archive["taps"]
    return values, Taps(taps, _restore(*said["geometry"]), said["layout"])


def _archive(values: Array, taps: Taps) -> bytes:
    # What pickle keeps, so that the geometry is the same one, its padding's rule included.
    geometry = taps.geometry.__reduce__()[1]
    said = json.dumps({"geometry": geometry, "layout": taps.layout}, sort_keys=True)
    file = BytesIO()
    np.savez(
        file,
        values=values,
        taps=taps.array,
        geometry=np.array(said),
    )
    return file.getvalue()


def _saved(array: Array) -> bytes:
    file = BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _table(results: Sequence[tuple[str, tuple[Array, Taps]]]) -> bytes:
    """A row for each array: little-endian bytes in raster order, types and shapes."""
    import pyarrow as pa

    pooled = [both for _, both in results]
    shape = pa.list_(pa.int32())
    return table_file(
        [
            ("name", pa.string(), [name for name, _ in results]),
            ("input_shape", shape, [list(taps.input_shape) for _, taps in pooled]),
            ("shape", shape, [list(values.shape) for values, _ in pooled]),
            ("layout", pa.string(), [taps.layout for _, taps in pooled]),
            ("element", pa.string(), [values.dtype.name for values, _ in pooled]),
            ("values", pa.binary(), [values.tobytes() for values, _ in pooled]),
            ("tap_bytes", pa.int32(), [taps.array.itemsize for _, taps in pooled]),
            ("taps", pa.binary(), [taps.array.tobytes() for _, taps in pooled]),
        ]
    )
