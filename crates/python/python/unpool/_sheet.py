"""Sheets: what a network makes of an image, drawn for people to look at."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _unpool
from ._images import content_of, opened, pillow_image

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Labels", "Numbers", "draw"]

Labels = str | os.PathLike[str] | Sequence[str]
Numbers = float | Sequence[float]

#: The options of the command ``unpool visualize``, as its messages name them, and the parameters here.
PARAMETERS = {
    "class": "classes",
    "layer": "layers",
    "channel": "channel",
    "method": "methods",
    "labels": "labels",
    "preset": "preset",
    "mean": "mean",
    "scale": "std",
    "fit": "fit",
    "size": "size",
}


def draw(
    network: _unpool.Network, name: str, images: Sequence[Any], parameters: dict[str, Any]
) -> list[Image]:
    """The sheets of images, in their order."""
    pillow = pillow_image()
    pictures = [_picture(image, number) for number, image in enumerate(images)]
    with contextlib.ExitStack() as stack:
        options = list(_options(parameters, stack))
        each = stack.enter_context(_progress(len(pictures)))
        try:
            files = _unpool.sheets(network, name, pictures, options, each)
        except ValueError as error:
            raise ValueError(_renamed(str(error))) from None
    return [pillow.open(io.BytesIO(file)) for file in files]


def _picture(image: Any, number: int) -> tuple[str, int, int, bytes]:
    """An image as its name, height, width and pixels."""
    name = f"image {number}"
    if isinstance(image, str | os.PathLike):
        name = Path(image).stem
    content = content_of(image)
    pixels = np.asarray(opened(content).convert("RGB")) if isinstance(content, bytes) else content
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise TypeError(
            f"images[{number}] is an array of {pixels.dtype.name} of shape {pixels.shape}; a path, a "
            "picture of Pillow, or an array of uint8 of (height, width) or (height, width, 3) is allowed"
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    height, width = pixels.shape[:2]
    if height == 0 or width == 0:
        raise ValueError(f"images[{number}] has {height}×{width} pixels; at least 1×1 is allowed")
    return name, height, width, pixels.tobytes()


def _options(parameters: dict[str, Any], stack: contextlib.ExitStack) -> Iterator[str]:
    """The parameters as options of the command."""
    for option, parameter in PARAMETERS.items():
        value = parameters[parameter]
        if value is None:
            continue
        if parameter in ("classes", "layers"):
            several = [value] if isinstance(value, str | int) else value
            yield from (f"--{option}={one}" for one in several)
        elif parameter == "labels" and not isinstance(value, str | os.PathLike):
            yield f"--labels={_file_of_labels(value, stack)}"
        elif parameter == "size":
            height, width = value
            yield f"--size={height}x{width}"
        elif parameter == "std":
            deviations = [float(x) for x in (value if isinstance(value, Sequence) else [value])]
            if 0 in deviations:
                raise ValueError(f"std is {value}; numbers other than 0 are needed")
            yield f"--{option}=" + ",".join(str(1 / x) for x in deviations)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield f"--{option}=" + ",".join(map(str, value))
        else:
            yield f"--{option}={os.fspath(value) if isinstance(value, os.PathLike) else value}"


def _file_of_labels(labels: Sequence[str], stack: contextlib.ExitStack) -> str:
    directory = stack.enter_context(tempfile.TemporaryDirectory())
    file = Path(directory, "labels.json")
    file.write_text(json.dumps([str(label) for label in labels]), encoding="utf-8")
    return str(file)


def _renamed(message: str) -> str:
    """A message of the command, with the names of the parameters."""

    def name(option: re.Match[str]) -> str:
        return PARAMETERS.get(option[1], option[0])

    return re.sub(r"--([a-z]+)", name, message)


@contextlib.contextmanager
def _progress(count: int) -> Iterator[Any]:
    """What is called after every sheet: a bar of tqdm's, if it is installed and there is more than one."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        tqdm = None
    if tqdm is None or count < 2:
        yield lambda: None
        return
    with tqdm(total=count, unit="image") as bar:
        yield bar.update
