"""Where results lie: a directory, or a bucket of an object store. A file is there whole or not at all.

A directory of this machine, or one that machines share, is written with the standard library alone; any
other place is a URI that ``pyarrow.fs`` opens.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

__all__ = ["Store", "local_path", "open_store"]

#: Where files are written before they are renamed. The end of a run clears it.
_UNFINISHED = ".unfinished"

#: Stores that show an object only once it is complete, under its own name.
_WHOLE_OBJECTS = ("s3", "gcs", "abfs")


class Store(Protocol):
    """Files by their names, which have ``/`` between their parts."""

    def read(self, name: str) -> bytes | None:
        """The content of a file; None if there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""

    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    def remove(self, name: str) -> None:
        """Remove a file if there is one."""

    def names(self, directory: str = "") -> set[str]:
        """The names of all files under a directory."""

    def clear(self) -> None:
        """Remove what writers that were stopped have left."""


def local_path(place: str) -> Path | None:
    """The directory or file of this machine that a path or a URI names; None if it is elsewhere."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    # A single letter is a drive of Windows.
    return None if len(parts.scheme) > 1 and "://" in place else Path(place)


def open_store(place: str) -> Store:
    """The store at a path or a URI."""
    path = local_path(place)
    return _Directory(path.absolute()) if path is not None else _Bucket(place)


class _Directory:
    """A directory, which several machines may share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._root / _UNFINISHED / uuid.uuid4().hex
        unfinished.parent.mkdir(exist_ok=True)
        with open(unfinished, "xb") as file:
            file.write(content)
            file.flush()
            # Without this a machine that loses power may keep the new name, and an empty file.
            os.fsync(file.fileno())
        os.replace(unfinished, target)

    def has(self, name: str) -> bool:
        return (self._root / name).is_file()

    def remove(self, name: str) -> None:
        (self._root / name).unlink(missing_ok=True)

    def names(self, directory: str = "") -> set[str]:
        found: set[str] = set()
        for at, _, files in os.walk(self._root / directory):
            relative = Path(at).relative_to(self._root)
            if _UNFINISHED not in relative.parts:
                found.update((relative / file).as_posix() for file in files)
        return found

    def clear(self) -> None:
        shutil.rmtree(self._root / _UNFINISHED, ignore_errors=True)


class _Bucket:
    """What ``pyarrow.fs`` opens: S3, Google's and Azure's stores, HDFS, and those of fsspec."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._opened: tuple[Any, str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Connections are made anew in each process.
        return {"_uri": self._uri, "_opened": None}

    def read(self, name: str) -> bytes | None:
        files, root = self._open()
        try:
            with files.open_input_stream(f"{root}/{name}") as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        files, root = self._open()
        target = f"{root}/{name}"
        if files.type_name in _WHOLE_OBJECTS:
            with files.open_output_stream(target) as file:
                file.write(content)
            return
        unfinished = f"{root}/{_UNFINISHED}/{uuid.uuid4().hex}"
        for path in (target, unfinished):
            files.create_dir(path.rpartition("/")[0], recursive=True)
        with files.open_output_stream(unfinished) as file:
            file.write(content)
        files.move(unfinished, target)

    def has(self, name: str) -> bool:
        files, root = self._open()
        return bool(files.get_file_info(f"{root}/{name}").is_file)

    def remove(self, name: str) -> None:
        files, root = self._open()
        with contextlib.suppress(FileNotFoundError):
            files.delete_file(f"{root}/{name}")

    def names(self, directory: str = "") -> set[str]:
        from pyarrow.fs import FileSelector

        files, root = self._open()
        base = f"{root}/{directory}" if directory else root
        selector = FileSelector(base, recursive=True, allow_not_found=True)
        start = len(root) + 1
        found = (info.path[start:] for info in files.get_file_info(selector) if info.is_file)
        return {name for name in found if not name.startswith(_UNFINISHED)}

    def clear(self) -> None:
        files, root = self._open()
        with contextlib.suppress(FileNotFoundError):
            files.delete_dir(f"{root}/{_UNFINISHED}")

    def _open(self) -> tuple[Any, str]:
        if self._opened is None:
            from pyarrow.fs import FileSystem

            files, root = FileSystem.from_uri(self._uri)
            self._opened = files, root.rstrip("/")
        return self._opened
