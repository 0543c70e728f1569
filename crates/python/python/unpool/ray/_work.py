"""What a process does with one part of a job: read, compute, write.

A part is what is written, and found, as one: the files of an item, or a Parquet file of a fixed group
of items. Items are computed one at a time. So no bit of a result depends on how Ray cuts the job into
tasks, on which machine has which, or on where an earlier run was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from .._arrays import Array
from ._items import Item
from ._store import Store

__all__ = ["Outcome", "Part", "Work", "Worker", "failures", "finished", "parts_of"]

#: The longest name of a file that common file systems take, less an ending.
_LONGEST = 240


class Part(NamedTuple):
    """Items whose results are written as one."""

    name: str
    items: Sequence[Item]


class Outcome(NamedTuple):
    """What became of a part."""

    part: str
    computed: int
    #: Items that were there already.
    found: int
    #: Names and reasons.
    failed: list[tuple[str, str]]
    #: What computed, in words.
    device: str


class Work(Protocol):
    """An operation on one item. It can be pickled, and opens its model where it runs."""

    format: str

    def job(self) -> dict[str, Any]:
        """All that the results depend on, besides the items."""

    def start(self) -> str:
        """Open the model, if there is one; what computes, in words."""

    def compute(self, content: bytes | Array) -> Any:
        """The result of one item; a ValueError if the item does not allow one."""

    def marker(self, part: str) -> str:
        """The file that is written last."""

    def files(self, part: str, results: Any) -> list[tuple[str, bytes]]:
        """Names and contents of the files of a part, the marker last."""


class Worker:
    """A process's share of the work."""

    def __init__(self, work: Work, store: Store) -> None:
        self._work = work
        self._store = store
        self._device: str | None = None

    def run(self, part: Part) -> Outcome:
        """Compute and write a part, unless it is there."""
        if self._device is None:
            self._device = self._work.start()
        marker, record = self._work.marker(part.name), _record(part.name)
        if self._store.has(marker) and not self._store.has(record):
            return Outcome(part.name, 0, len(part.items), [], self._device)
        results, failed = [], []
        for item in part.items:
            try:
                content = item.read()
            except Exception as error:  # noqa: BLE001 (a file may be wrong in any way)
                failed.append((item.name, _reason(error)))
                continue
            try:
                results.append((item.name, self._work.compute(content)))
            except (ValueError, MemoryError) as error:
                failed.append((item.name, _reason(error)))
        if failed:
            # First, so that a part is never taken for a whole one.
            self._store.write(record, json.dumps(failed, indent=1).encode())
        if results or self._work.format == "parquet":
            for name, content in self._work.files(part.name, results):
                self._store.write(name, content)
        if not failed:
            self._store.remove(record)
        return Outcome(part.name, len(results), 0, failed, self._device)


def parts_of(items: Sequence[Item], format: str, group: int) -> list[Part]:
    """The parts of a job: groups of fixed items for Parquet, single items otherwise."""
    if format != "parquet":
        return [item_part(item) for item in items]
    starts = range(0, len(items), group)
    return [Part(group_name(i), items[at : at + group]) for i, at in enumerate(starts)]


def item_part(item: Item) -> Part:
    """The part of one item. Its name is that of a file: ``%2F`` stands for a slash."""
    name = quote(item.name, safe=" +,=@()")
    if name in ("", ".", "..") or len(name) > _LONGEST:
        raise ValueError(f"{item.name!r} cannot be the name of an item; 1 to {_LONGEST} letters can")
    return Part(name, [item])


def group_name(number: int) -> str:
    """The name of a group of items."""
    return f"part-{number:06}"


def finished(names: set[str], work: Work, parts: Iterable[Part]) -> set[str]:
    """The parts that are there, in a store with files of these names."""
    return {
        part.name
        for part in parts
        if work.marker(part.name) in names and _record(part.name) not in names
    }


def failures(store: Store, parts: set[str]) -> list[tuple[str, str]]:
    """All items of parts without a result, with reasons; what is told of other parts is removed."""
    known = {_record(part) for part in parts}
    found: list[tuple[str, str]] = []
    for name in sorted(store.names("failed")):
        if name in known:
            found.extend((item, reason) for item, reason in json.loads(store.read(name) or b"[]"))
        else:
            store.remove(name)
    return found


def _record(part: str) -> str:
    """Where the failures of a part are told."""
    return f"failed/{part}.json"


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}"
