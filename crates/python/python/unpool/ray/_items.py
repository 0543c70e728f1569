"""The items of a job: what each is called, and where its content comes from.

Items are in the order of their names, and a name is given once: results are filed by it. The order is
therefore the same however a directory is listed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .._arrays import Array
from ._store import local_path

__all__ = ["Item", "content_column", "is_dataset", "items_of", "name_column", "row_item"]

_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
_ARRAYS = (".npy", ".npz")

#: The columns of a dataset that may hold a name and a content, the first that there is being taken.
#: These are what `ray.data.read_images`, `read_binary_files` and `read_numpy` make.
_NAMES = ("name", "path")
_CONTENTS = ("image", "bytes", "data", "array")


class Item(NamedTuple):
    """An image or an array, and its name."""

    name: str
    #: A path or URI; None where the content is at hand.
    source: str | None = None
    #: The number of the item on the first axis of the array at `source`.
    row: int | None = None
    content: bytes | Array | None = None

    def read(self) -> bytes | Array:
        """The bytes of a file, or an array."""
        if self.content is not None:
            return self.content
        assert self.source is not None, "an item has a source or a content"
        path = local_path(self.source)
        if self.row is not None:
            # Mapped, so that only the pages of this item are read.
            return np.array(np.load(path or self.source, mmap_mode="r")[self.row])
        if path is not None:
            return path.read_bytes()
        from pyarrow.fs import FileSystem

        files, at = FileSystem.from_uri(self.source)
        with files.open_input_stream(at) as file:
            return bytes(file.read())


def is_dataset(dataset: Any) -> bool:
    """Whether this is a dataset of Ray, of which no more than the type is looked at."""
    return any(kind.__module__.startswith("ray.data") for kind in type(dataset).__mro__)


def items_of(dataset: Any) -> list[Item]:
    """The items of a directory, of a list of files, of one array, or of a mapping of arrays.

    Raises
    ------
    ValueError
        If two items have one name, or there is none at all.
    """
    if isinstance(dataset, Mapping):
        items = [Item(str(name), content=_bytes(value)) for name, value in dataset.items()]
    elif isinstance(dataset, (str, os.PathLike)):
        items = _at(os.fspath(dataset))
    elif isinstance(dataset, np.ndarray):
        items = [Item(_number(i, len(dataset)), content=_bytes(x)) for i, x in enumerate(dataset)]
    elif isinstance(dataset, Iterable):
        paths = [os.fspath(path) for path in dataset]
        items = [Item(name, path) for name, path in zip(_short_names(paths), paths)]
    else:
        raise TypeError(
            f"dataset is {type(dataset).__name__}; a directory, a sequence of paths, a mapping of "
            "arrays, an array, or a dataset of Ray is allowed"
        )
    if not items:
        raise ValueError("dataset has no items")
    items.sort(key=lambda item: item.name)
    for before, item in zip(items, items[1:]):
        if before.name == item.name:
            raise ValueError(f"dataset has two items named {item.name!r}; each needs its own name")
    return items


def row_item(columns: Mapping[str, Any], row: int) -> Item:
    """The item of a row of a dataset of Ray.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    name, content = columns[name_column(columns)][row], columns[content_column(columns)][row]
    return Item(str(name), content=content if isinstance(content, bytes) else np.asarray(content))


def _column(what: str, allowed: Sequence[str], columns: Iterable[str]) -> str:
    """The first allowed column that there is."""
    there = list(columns)
    for name in allowed:
        if name in there:
            return name
    raise ValueError(f"dataset has columns {there}; {what} is read from one of {list(allowed)}")


def name_column(columns: Iterable[str]) -> str:
    """The column of the names."""
    return _column("a name", _NAMES, columns)


def content_column(columns: Iterable[str]) -> str:
    """The column of the images or arrays."""
    return _column("a content", _CONTENTS, columns)


def _at(place: str) -> list[Item]:
    """The items of a directory, of one array, or a single file."""
    path = local_path(place)
    if path is None:
        from pyarrow.fs import FileSelector, FileSystem

        files, root = FileSystem.from_uri(place)
        found = files.get_file_info(FileSelector(root, recursive=True))
        names = [info.path[len(root.rstrip("/")) + 1 :] for info in found if info.is_file]
        return [Item(name, f"{place.rstrip('/')}/{name}") for name in filter(_is_item, names)]
    if path.suffix == ".npy" and path.is_file():
        count = len(np.load(path, mmap_mode="r"))
        # Actors start in directories of their own.
        return [Item(_number(i, count), str(path.absolute()), i) for i in range(count)]
    if path.is_file():
        return [Item(path.name, str(path.absolute()))]
    if not path.is_dir():
        raise FileNotFoundError(f"there is no {place}")
    files_ = (file for file in path.rglob("*") if _is_item(file.name) and file.is_file())
    return [Item(file.relative_to(path).as_posix(), str(file.absolute())) for file in files_]


def _is_item(name: str) -> bool:
    base = name.rpartition("/")[2]
    return base.lower().endswith(_IMAGES + _ARRAYS) and not base.startswith(".")


def _short_names(paths: Sequence[str]) -> list[str]:
    """Paths without the directories that all share."""
    if any(local_path(path) is None for path in paths):
        # Of URIs all is kept: two stores may have one key.
        return list(paths)
    whole = [Path(path).absolute() for path in paths]
    shared = Path(os.path.commonpath([path.parent for path in whole])) if whole else Path()
    return [path.relative_to(shared).as_posix() for path in whole]


def _number(index: int, count: int) -> str:
    """A name that sorts as the number does."""
    return f"{index:0{len(str(max(count - 1, 0)))}}"


def _bytes(array: Any) -> bytes:
    """An array as a file of NumPy, in which form it goes to any machine."""
    if isinstance(array, bytes):
        return array
    file = BytesIO()
    np.save(file, np.asarray(array), allow_pickle=False)
    return file.getvalue()
