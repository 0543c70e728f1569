"""Running a job: in this process, or by actors of Ray."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ._items import Item, content_column, is_dataset, items_of, name_column, row_item
from ._job import begin, digest_of
from ._parquet import check
from ._store import Store, open_store
from ._work import (
    Outcome,
    Part,
    Work,
    Worker,
    failures,
    finished,
    group_name,
    item_part,
    parts_of,
)

__all__ = ["Report", "Resources", "run"]

#: Parts of one task of Ray, at most. A task costs some milliseconds; one that is lost is run again.
_LONGEST_TASK = 64
#: Tasks for each actor, at least, so that all end at about the same time.
_TASKS = 8
#: Rows of a dataset that an actor is given at a time.
_ROWS = 16


class Report(NamedTuple):
    """What became of a job."""

    #: All items.
    items: int
    #: Those that this run has computed.
    computed: int
    #: Those that were there already.
    found: int
    #: Names and reasons of those that have no result.
    failed: list[tuple[str, str]]
    #: What has computed. Results of more than one device may differ by rounding.
    devices: tuple[str, ...]


class Resources(NamedTuple):
    """What a job may use."""

    #: Actors at most; None for as many as the cluster has room for, 0 for none: this process.
    actors: int | None
    num_cpus: float
    #: None: one, and an error if the cluster has none, instead of waiting for one.
    num_gpus: float | None
    address: str | None
    progress: bool


def run(dataset: Any, work: Work, out: str | os.PathLike[str], group: int, on: Resources) -> Report:
    """Run a job, or what is left of it."""
    if group < 1:
        raise ValueError(f"group is {group}; 1 or more is allowed")
    if on.actors is not None and on.actors < 0:
        raise ValueError(f"actors is {on.actors}; 0 or more is allowed")
    if work.format == "parquet":
        check()
    store = open_store(os.fspath(out))
    if is_dataset(dataset):
        if on.actors == 0:
            raise ValueError("a dataset of Ray needs actors; actors is 0")
        outcomes, count = _rows(dataset, work, store, group, _start(on))
        names = {outcome.part for outcome in outcomes}
    else:
        items = items_of(dataset)
        parts, count = parts_of(items, work.format, group), len(items)
        _begin(store, work, group, [item.name for item in items])
        there = finished(store.names(), work, parts)
        left = [part for part in parts if part.name not in there]
        if not left:
            outcomes = []
        elif on.actors == 0:
            outcomes = list(_here(left, Worker(work, store), on.progress))
        else:
            outcomes = list(_parts(left, work, store, _start(on)))
        names = {part.name for part in parts}
        lost = {part.name for part in left} - {outcome.part for outcome in outcomes}
        if lost:
            raise RuntimeError(f"Ray ended without {len(lost)} of {len(left)} parts; run it again")
    failed = failures(store, names)
    if failed:
        store.write("failed.json", json.dumps(failed, indent=1).encode())
    else:
        store.remove("failed.json")
    store.clear()
    computed = sum(outcome.computed for outcome in outcomes)
    devices = {outcome.device for outcome in outcomes}
    return Report(count, computed, count - computed - len(failed), failed, tuple(sorted(devices)))


def _begin(store: Store, work: Work, group: int, names: Iterable[str] | None) -> None:
    from .. import __version__

    job = {"unpool": __version__, "format": work.format, **work.job()}
    if work.format == "parquet":
        # With one more item, each group after it would hold others.
        job |= {"group": group, "items": digest_of(names or ())}
    begin(store, job)


def _here(parts: Sequence[Part], worker: Worker, progress: bool) -> Iterator[Outcome]:
    """In this process."""
    bar: Iterable[Part] = parts
    if progress:
        try:
            from tqdm import tqdm

            bar = tqdm(parts, unit="item" if len(parts[0].items) == 1 else "group")
        except ImportError:
            pass
    return (worker.run(part) for part in bar)


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(
            f"{error}: pip install 'unpool[ray]' brings Ray; actors=0 runs in this process without it"
        ) from error
    return ray


def _start(on: Resources) -> Resources:
    """Find or start the cluster."""
    ray = _ray()
    if not ray.is_initialized():
        ray.init(address=on.address)
    if on.num_gpus is not None:
        return on
    if not ray.cluster_resources().get("GPU"):
        raise ValueError("Ray knows of no GPU; num_gpus=0 starts actors anywhere, num_gpus=1 waits for one")
    return on._replace(num_gpus=1)


def _parts(parts: Sequence[Part], work: Work, store: Store, on: Resources) -> Iterator[Outcome]:
    """By actors that read the items themselves: only their names move."""
    ray = _ray()
    slots = on.actors or _slots(on)
    tasks = min(len(parts), max(slots * _TASKS, -(-len(parts) // _LONGEST_TASK)))
    rows = [{"part": pickle.dumps(part)} for part in parts]
    dataset = ray.data.from_items(rows, override_num_blocks=tasks)
    made = dataset.map_batches(
        _PartsActor, batch_size=None, **_actors(ray, work, store, on, slots)
    )
    return _outcomes(ray, made, on)


def _rows(
    dataset: Any, work: Work, store: Store, group: int, on: Resources
) -> tuple[list[Outcome], int]:
    """By actors that are given the rows of a dataset."""
    ray = _ray()
    column = name_column(dataset.columns())
    content_column(dataset.columns())
    if work.format == "parquet":
        names = sorted(str(row[column]) for row in dataset.select_columns([column]).iter_rows())
        _check_names(names)
        _begin(store, work, group, names)
        # A group is written by one actor, so its rows are brought together.
        numbers = ray.put({name: i // group for i, name in enumerate(names)})
        numbered = dataset.map_batches(
            _number, fn_kwargs={"column": column, "numbers": numbers}, batch_size=_ROWS
        )
        made = numbered.groupby(_GROUP).map_groups(
            _GroupActor, batch_format="numpy", **_actors(ray, work, store, on, None)
        )
        return list(_outcomes(ray, made, on)), len(names)
    _begin(store, work, group, None)
    made = dataset.map_batches(
        _RowsActor, batch_size=_ROWS, batch_format="numpy", **_actors(ray, work, store, on, None)
    )
    outcomes = list(_outcomes(ray, made, on))
    _check_names(sorted(outcome.part for outcome in outcomes))
    return outcomes, len(outcomes)


def _check_names(names: Sequence[str]) -> None:
    for before, name in zip(names, names[1:]):
        if before == name:
            raise ValueError(f"dataset has two items named {name!r}; each needs its own name")


def _slots(on: Resources) -> int:
    """Actors that the cluster has room for now."""
    have = _ray().cluster_resources()
    rooms = [have.get("CPU", 0) / on.num_cpus] if on.num_cpus else []
    rooms += [have.get("GPU", 0) / on.num_gpus] if on.num_gpus else []
    return max(1, int(min(rooms, default=1)))


def _actors(
    ray: Any, work: Work, store: Store, on: Resources, initial: int | None
) -> dict[str, Any]:
    """How the actors run.

    Ray starts lost actors again, and runs their tasks again, both without limit. The pool may shrink
    to one actor: where a machine is lost and none takes its place, actors that idle must go to make
    room for those that are started again.
    """
    most = on.actors
    pool = ray.data.ActorPoolStrategy(
        min_size=1, max_size=most, initial_size=min(initial, most or initial) if initial else None
    )
    return {
        # By reference: a model of 500 MB goes to each machine once.
        "fn_constructor_args": (ray.put((work, store)), on.num_cpus),
        "compute": pool,
        "num_cpus": on.num_cpus,
        "num_gpus": on.num_gpus or None,
    }


def _outcomes(ray: Any, made: Any, on: Resources) -> Iterator[Outcome]:
    """What the actors return; an error of theirs is raised here."""
    context = ray.data.DataContext.get_current()
    before = context.enable_progress_bars
    context.enable_progress_bars = on.progress
    try:
        for row in made.iter_rows():
            outcome = pickle.loads(row["outcome"])
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome
    finally:
        context.enable_progress_bars = before


class _Actor:
    """A process of Ray, with the model in it."""

    def __init__(self, shared: Any, num_cpus: float) -> None:
        # Before the first product of matrices starts the threads.
        os.environ.setdefault("RAYON_NUM_THREADS", str(max(1, int(num_cpus))))
        work, store = _ray().get(shared)
        self._worker = Worker(work, store)

    def _run(self, parts: Iterable[Part]) -> dict[str, list[bytes]]:
        outcomes: list[Outcome | Exception] = []
        try:
            outcomes.extend(self._worker.run(part) for part in parts)
        except Exception as error:  # noqa: BLE001 (Ray would wrap it in its own, with its own words)
            outcomes.append(error)
        return {"outcome": [pickle.dumps(outcome) for outcome in outcomes]}


class _PartsActor(_Actor):
    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return self._run(pickle.loads(part) for part in batch["part"])


class _RowsActor(_Actor):
    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return self._run(item_part(item) for item in _batch_items(batch))


class _GroupActor(_Actor):
    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        number = int(batch[_GROUP][0])
        items = sorted(_batch_items(batch), key=lambda item: item.name)
        return self._run([Part(group_name(number), items)])


_GROUP = "unpool_group"


def _number(batch: dict[str, Any], column: str, numbers: Any) -> dict[str, Any]:
    """Rows with the numbers of their groups."""
    known = _ray().get(numbers)
    return {**batch, _GROUP: [known[str(name)] for name in batch[column]]}


def _batch_items(batch: dict[str, Any]) -> list[Item]:
    count = len(next(iter(batch.values())))
    return [row_item(batch, row) for row in range(count)]
