"""How an image becomes what a network reads: channels, size, mean and deviation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ._arrays import Array, as_array

__all__ = ["PRESETS", "Preprocessing", "array_of", "content_of", "opened", "pillow_image"]

#: Mean and deviation of pixels of 0 to 1, and whether blue comes first: those of `unpool run`.
PRESETS: dict[str, tuple[tuple[float, ...], tuple[float, ...], bool]] = {
    "unit": ((0.0,), (1.0,), False),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), False),
    "keras": ((0.5,), (0.5,), False),
    "byte": ((0.0,), (1 / 255,), False),
    "caffe": ((103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,), True),
}
_RANGES = {
    "NominalRange_0_255": "byte",
    "Normalized_0_1": "unit",
    "Normalized_1_1": "keras",
}


class Reader(Protocol):
    """A network that reads images, and what its file says of them."""

    @property
    def input_shape(self) -> tuple[int | None, ...] | None: ...
    @property
    def input_layout(self) -> str: ...
    @property
    def largest_pixel(self) -> float | None: ...
    def metadata(self, key: str) -> str | None: ...


class Preprocessing(NamedTuple):
    """What a network was trained to read."""

    channels: int
    #: Height and width; None where any size is allowed, and the image's own is kept.
    size: tuple[int, int] | None
    channels_last: bool
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    blue_first: bool

    @classmethod
    def of(
        cls,
        network: Reader,
        preset: str | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        size: tuple[int, int] | None = None,
    ) -> Preprocessing:
        """The preprocessing of a network: as asked, or as the model says of itself, or ``"unit"``.

        Raises
        ------
        ValueError
            If preset, numbers or size do not fit the network.
        """
        shape = network.input_shape
        if shape is None or len(shape) != 4:
            raise ValueError(f"the network reads {shape}; images need four axes")
        last = network.input_layout == "channels-last"
        channels = shape[3] if last else shape[1]
        if channels not in (1, 3):
            raise ValueError(f"the network reads {channels} channels; images have 1 or 3")
        own = shape[1:3] if last else shape[2:]
        if size is not None:
            fits = all(a in (None, b) for a, b in zip(own, size))
            if len(size) != 2 or min(size) < 1 or not fits:
                raise ValueError(f"size is {size}; the network reads {own}")
        height, width = own
        if size is None and height is not None and width is not None:
            size = height, width
        if preset is None and mean is None and std is None:
            preset = _stated(network)
        if preset is not None and (mean is not None or std is not None):
            raise ValueError("preset stands for mean and std; give one or the other")
        if preset is None:
            means, deviations, blue = _numbers(mean, 0.0), _numbers(std, 1.0), False
        elif preset in PRESETS:
            means, deviations, blue = PRESETS[preset]
        else:
            raise ValueError(f"preset {preset!r} is unknown; {sorted(PRESETS)} are allowed")
        for what, numbers in (("mean", means), ("std", deviations)):
            if len(numbers) not in (1, channels) or not np.isfinite(numbers).all():
                raise ValueError(f"{what} is {numbers}; 1 or {channels} numbers are needed")
        if 0 in deviations:
            raise ValueError(f"std is {deviations}; numbers other than 0 are needed")
        return cls(channels, size, last, means, deviations, blue)

    def tensor(self, content: bytes | Array) -> Array:
        """An image, or an array, as a batch of one.

        An image is a file's bytes or an array of uint8, ``(height, width)`` or
        ``(height, width, channels)``. An array of another type is what the network reads as it is.
        """
        array = array_of(content)
        if array is not None and array.dtype != np.uint8:
            return array if array.ndim == 4 else array[None]
        picture = self._resized(_picture(content, array).convert("L" if self.channels == 1 else "RGB"))
        pixels: Any = np.asarray(picture, np.float32).reshape(picture.height, picture.width, -1)
        pixels = pixels / np.float32(255)
        if self.blue_first and self.channels == 3:
            pixels = pixels[:, :, ::-1]
        mean, deviation = (np.array(x, np.float32) for x in (self.mean, self.deviation))
        pixels = (pixels - mean) / deviation
        return np.ascontiguousarray(pixels if self.channels_last else pixels.transpose(2, 0, 1))[None]

    def _resized(self, picture: Any) -> Any:
        """The middle of a picture, of the network's proportions, in its size."""
        if self.size is None or (picture.height, picture.width) == self.size:
            return picture
        height, width = self.size
        # The largest part with the proportions of the size, in whole pixels, as `unpool run` cuts it.
        part_width = min(picture.width, max(1, round(picture.height * width / height)))
        part_height = min(picture.height, max(1, round(picture.width * height / width)))
        left, top = (picture.width - part_width) // 2, (picture.height - part_height) // 2
        part = picture.crop((left, top, left + part_width, top + part_height))
        return part.resize((width, height), pillow_image().Resampling.BILINEAR)


def content_of(image: Any) -> bytes | Array:
    """What `Preprocessing.tensor` takes, of a path, a picture of Pillow, or an array."""
    if isinstance(image, str | os.PathLike):
        return Path(image).read_bytes()
    if hasattr(image, "convert") and hasattr(image, "mode"):
        return np.asarray(image.convert("RGB"))
    return as_array(image, "images")


def array_of(content: bytes | Array) -> Array | None:
    """The array of a content; None if it is an image's file."""
    if not isinstance(content, bytes):
        return content
    if not content.startswith(b"\x93NUMPY"):
        return None
    return np.asarray(np.load(BytesIO(content), allow_pickle=False))


def pillow_image() -> Any:
    """The module ``PIL.Image``.

    Raises
    ------
    ImportError
        Without Pillow.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("pictures need Pillow: pip install unpool[images]") from error
    return Image


def opened(content: bytes) -> Any:
    """The picture of a file, upright.

    Raises
    ------
    ValueError
        If it is none.
    """
    pillow = pillow_image()
    from PIL import ImageOps, UnidentifiedImageError

    try:
        picture = pillow.open(BytesIO(content))
        picture.load()
    except UnidentifiedImageError:
        # Pillow's own message has an address in it, which differs from run to run.
        raise ValueError("not an image that Pillow can read") from None
    except Exception as error:  # noqa: BLE001 (each format has its own kinds)
        raise ValueError(f"a broken image: {error}") from error
    if picture.mode.startswith(("I", "F")):
        raise ValueError(f"its pixels are of mode {picture.mode}; 8 bits a channel are allowed")
    return ImageOps.exif_transpose(picture)


def _picture(content: bytes | Array, array: Array | None) -> Any:
    if array is None:
        assert isinstance(content, bytes), "a content without an array is a file"
        return opened(content)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        raise ValueError(
            f"an image of uint8 has shape {array.shape}; (height, width) and (height, width, channels) "
            "are allowed"
        )
    return pillow_image().fromarray(np.ascontiguousarray(array))


def _stated(network: Reader) -> str:
    """What the model says of itself: a preset's name, ONNX's own key, or its first arithmetic."""
    named = (network.metadata("preprocessing") or "").lower()
    if named in PRESETS:
        return named
    range_ = _RANGES.get(network.metadata("Image.NominalPixelRange") or "")
    if range_ is not None:
        return range_
    return "byte" if (network.largest_pixel or 0) > 1 else "unit"


def _numbers(given: float | Sequence[float] | None, default: float) -> tuple[float, ...]:
    if given is None:
        return (default,)
    return tuple(float(x) for x in given) if isinstance(given, Sequence) else (float(given),)
