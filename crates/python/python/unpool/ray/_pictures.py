"""Maps as pictures, in the colours of `unpool visualize`."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["evidence", "signed"]

Floats = npt.NDArray[np.float32]

#: The end of a scale: the part of all values that lies inside it. One extreme pixel would
#: otherwise make all others pale.
_SHOWN = 0.995

_NEGATIVE = np.array([33, 102, 172], np.float32)
_NOTHING = np.array([247, 247, 245], np.float32)
_POSITIVE = np.array([178, 24, 43], np.float32)
#: From no evidence to the most: dark violet, red, yellow.
_HEAT = np.array([[60, 10, 110], [190, 40, 90], [250, 140, 30], [250, 250, 150]], np.float32)


def signed(sums: Floats) -> tuple[bytes, float]:
    """A map of ``(height, width)``: red where it is positive, blue where negative.

    Returns the file, and the value that has the full colour.
    """
    sizes = np.sort(np.abs(sums[sums != 0]), axis=None)
    end = float(sizes[int(sizes.size * _SHOWN)]) if sizes.size else 0.0
    parts = np.clip(sums / np.float32(end or 1.0), -1, 1)[..., None]
    colours = np.where(parts < 0, _NEGATIVE, _POSITIVE)
    return _file(_NOTHING + (colours - _NOTHING) * np.abs(parts)), end


def evidence(map_: Floats, height: int, width: int) -> tuple[bytes, float]:
    """A map that is nowhere negative, enlarged to a size: yellow where it is largest."""
    from PIL import Image

    end = float(map_.max())
    small = Image.fromarray(np.ascontiguousarray(map_))
    wide = np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))
    place = np.clip(wide / np.float32(end or 1.0), 0, 1) * (len(_HEAT) - 1)
    low = np.minimum(place.astype(np.int64), len(_HEAT) - 2)
    part = (place - low)[..., None].astype(np.float32)
    return _file(_HEAT[low] + (_HEAT[low + 1] - _HEAT[low]) * part), end


def _file(colours: Any) -> bytes:
    from PIL import Image

    file = BytesIO()
    # A map is grainy: higher levels take twice the time and save nothing.
    Image.fromarray(np.rint(colours).astype(np.uint8)).save(file, "PNG", compress_level=1)
    return file.getvalue()
