"""Explaining images and pooling arrays by the million, on one machine or on many, with Ray.

Results are files: a directory of pictures or arrays, or Parquet. A file is written whole or not at all.
A job that was stopped, and is started again with the same arguments, goes on where it was. An item that
cannot be read is reported, and the others go on.

Items are computed one at a time, so the files are the same, byte for byte, whatever the number of
actors and machines, and with ``actors=0``, which runs in this process and needs no Ray. For networks
that holds among processors of one kind or GPUs of one kind, and with one version of each package: others may
round otherwise. Pooling gives the same bits everywhere.

>>> import tempfile
>>> import numpy as np
>>> import unpool.ray
>>> images = {"a": np.zeros((32, 32), np.uint8), "b": np.full((32, 32), 255, np.uint8)}
>>> with tempfile.TemporaryDirectory() as out:
...     report = unpool.ray.explain(images, "digits.onnx", out=out, format="npy", actors=0)
...     again = unpool.ray.explain(images, "digits.onnx", out=out, format="npy", actors=0)
>>> report.computed, again.computed
(2, 0)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from .._arrays import Array
from .._images import Preprocessing
from .._taps import Taps
from ._explain import Explain, Model, Rule, Target
from ._pool import Pool, Unpool, read_pooled
from ._run import Report, Resources, run

__all__ = ["Report", "explain", "load_pooled", "pool", "unpool"]

PerAxis = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[Sequence[int]] | None


def explain(
    dataset: Any,
    model: str | os.PathLike[str] | bytes,
    *,
    out: str | os.PathLike[str],
    layers: Sequence[str] | None = None,
    targets: Target | Sequence[Target] = "best",
    rules: Rule | Sequence[Rule] = "gradient",
    format: Literal["png", "npy", "parquet"] = "png",
    preset: str | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    size: tuple[int, int] | None = None,
    group: int = 64,
    device: str = "cpu",
    actors: int | None = None,
    num_cpus: float = 1,
    num_gpus: float | None = None,
    address: str | None = None,
    progress: bool = True,
) -> Report:
    """Say for many images how much each pixel counts for targets of a network.

    Parameters
    ----------
    dataset : str, path, sequence of paths, mapping, ndarray, or ray.data.Dataset
        The images: a directory (or the URI of one in an object store), which is searched with all
        below it; files; arrays by their names; a file of NumPy whose first axis counts the images; or a
        dataset of Ray with a column ``name`` or ``path``, and a column ``image``, ``bytes``,
        ``data`` or ``array``, as `ray.data.read_images` and `read_binary_files` make with
        ``include_paths=True``. An array of uint8 is an image, ``(height, width)`` or
        ``(height, width, channels)``; one of another type is what the network reads as it is.
    model : str, path, or bytes
        The network in ONNX. It is read here and goes to each machine once.
    out : str or path
        A directory that all machines share, or a URI that ``pyarrow.fs`` opens, such as ``s3://…``.
    layers : sequence of str, optional
        The layers of the targets; by default that of the class scores.
    targets : target, or sequence of them
        As for `unpool.Network`, and ``"best"``: of each image the class with the highest score.
    rules : rule, or sequence of them
        ``"gradient"``, ``"deconvnet"`` and ``"guided"`` of `Network.look_back`, ``"grad-cam"`` and
        ``"grad-cam++"`` of `Network.class_activation`, and the methods of `Network.attribute`. A pair
        of a name and a dict gives a method parameters: ``("smoothgrad", {"samples": 16})``.
    format : {"png", "npy", "parquet"}
        A picture or an array for each map, in a directory for each image, ``items/NAME``, with
        ``item.json``, which says what they are; or ``parts/part-000000.parquet`` and so on, with a row for
        each map.
    preset : {"unit", "imagenet", "keras", "byte", "caffe"}, optional
        What is done with pixels; by default what the model says of itself, else ``"unit"``: 0 to 1.
    mean, std : float or sequence of float, optional
        The same in numbers, for pixels of 0 to 1: less the mean, divided by the deviation.
    size : pair of int, optional
        Height and width that images get, where the model leaves them open.
    group : int
        Images of one Parquet file.
    device : str
        As for `unpool.max_pool`.
    actors : int, optional
        Actors at most, each with the model; by default as many as the cluster has room for. 0: none,
        in this process, without Ray.
    num_cpus : float
        CPUs of an actor, and its threads.
    num_gpus : float, optional
        GPUs of an actor; by default 0 on the CPU, and 1 else.
    address : str, optional
        The cluster, as for `ray.init`; by default a new one on this machine, unless there is one.
    progress : bool
        Whether progress is shown: by the bars of Ray, or by tqdm in this process, if it is installed.

    Returns
    -------
    Report
        How many items were computed, and which have no result; ``failed.json`` has the same.

    Raises
    ------
    ValueError
        If arguments do not fit the network, `out` holds another job, or two items have one name.
    ImportError
        If Ray is needed and not installed.

    Notes
    -----
    A map in colours is red where it raises the target and blue where it lowers it, with the full
    colour at the 99.5th percentile of its own magnitudes, ``end`` in ``item.json``. Grad-CAM is enlarged
    to the image's size.

    An image is found finished by its name. Whether a file has changed since is not looked at.
    """
    opened, network = Model.open(model)
    preprocessing = Preprocessing.of(network, preset, mean, std, size)
    work = Explain(opened, network, layers, targets, rules, preprocessing, format, device)
    on = _resources(device, actors, num_cpus, num_gpus, address, progress)
    return run(dataset, work, out, group, on)


def pool(
    dataset: Any,
    kernel: PerAxis,
    *,
    out: str | os.PathLike[str],
    stride: PerAxis | None = None,
    padding: Padding = None,
    dilation: PerAxis | None = None,
    ceil_mode: bool = False,
    layout: str | None = None,
    format: Literal["npz", "parquet"] = "npz",
    group: int = 64,
    device: str = "cpu",
    actors: int | None = None,
    num_cpus: float = 1,
    num_gpus: float | None = None,
    address: str | None = None,
    progress: bool = True,
) -> Report:
    """Max pooling of many arrays, with taps.

    Parameters
    ----------
    dataset : str, path, sequence of paths, mapping, ndarray, or ray.data.Dataset
        As for `explain`: arrays, and images, whose pixels are pooled as they are.
    kernel, stride, padding, dilation, ceil_mode
        As for `unpool.max_pool`.
    out : str or path
        As for `explain`.
    layout : str, optional
        The axes of an array, as for `unpool.max_pool`; by default ``"l"``, ``"hw"``, ``"chw"``,
        ``"nchw"`` or ``"ncdhw"`` by their number, and ``"hwc"`` for images in colours.
    format : {"npz", "parquet"}
        An archive for each array, ``items/NAME.npz``, which `load_pooled` and `unpool` read; or
        Parquet, with a row for each array.
    group, device, actors, num_cpus, num_gpus, address, progress
        As for `explain`.

    Returns
    -------
    Report

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import unpool.ray
    >>> x = np.array([[1, 9, 2, 0], [3, 4, 5, 8]], np.float32)
    >>> with tempfile.TemporaryDirectory() as out:
    ...     report = unpool.ray.pool({"x": x}, 2, out=out, actors=0)
    ...     values, taps = unpool.ray.load_pooled(f"{out}/items/x.npz")
    >>> values
    array([[9., 8.]], dtype=float32)
    >>> unpool.max_unpool(values, taps)
    array([[0., 9., 0., 0.],
           [0., 0., 0., 8.]], dtype=float32)
    """
    window = {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "ceil_mode": ceil_mode,
    }
    work = Pool(window, layout, format, device)
    on = _resources(device, actors, num_cpus, num_gpus, address, progress)
    return run(dataset, work, out, group, on)


def unpool(
    dataset: Any,
    *,
    out: str | os.PathLike[str],
    overlap: Literal["last", "sum"] = "last",
    device: str = "cpu",
    actors: int | None = None,
    num_cpus: float = 1,
    num_gpus: float | None = None,
    address: str | None = None,
    progress: bool = True,
) -> Report:
    """Unpooling of many archives that `pool` has written.

    Parameters
    ----------
    dataset : str, path, sequence of paths, or ray.data.Dataset
        The archives, such as the directory ``items`` of what `pool` has written.
    out : str or path
        As for `explain`. Each array becomes ``items/NAME.npy``.
    overlap : {"last", "sum"}
        As for `unpool.max_unpool`.
    device, actors, num_cpus, num_gpus, address, progress
        As for `explain`.

    Returns
    -------
    Report
    """
    on = _resources(device, actors, num_cpus, num_gpus, address, progress)
    return run(dataset, Unpool(overlap, device), out, 1, on)


def load_pooled(path: str | os.PathLike[str]) -> tuple[Array, Taps]:
    """Values and taps of an archive that `pool` has written."""
    return read_pooled(Path(path).read_bytes())


def _resources(
    device: str,
    actors: int | None,
    num_cpus: float,
    num_gpus: float | None,
    address: str | None,
    progress: bool,
) -> Resources:
    if num_gpus is None and device == "cpu":
        num_gpus = 0
    return Resources(actors, num_cpus, num_gpus, address, progress)
