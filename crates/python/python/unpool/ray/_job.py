"""What a job is, written beside its results, so that no other job goes on in the same place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from ._store import Store

__all__ = ["begin", "digest_of"]

_FILE = "job.json"


def begin(store: Store, job: dict[str, Any]) -> None:
    """Write what the job is, or check that the place holds this job.

    Raises
    ------
    ValueError
        If the place holds another job, or files of something else.
    """
    text = json.dumps(job, indent=1, sort_keys=True)
    found = store.read(_FILE)
    if found is None:
        others = sorted(store.names())
        if others:
            raise ValueError(f"out has files and no {_FILE}, such as {others[0]}; an empty one is needed")
        store.write(_FILE, text.encode())
        return
    try:
        before = json.loads(found)
    except ValueError:
        before = None
    if not isinstance(before, dict):
        raise ValueError(f"out has a {_FILE} that is not of a job")
    now = json.loads(text)
    # The operation first: what else differs follows from it.
    for key in sorted(before.keys() | now.keys(), key=lambda key: (key != "operation", key)):
        if before.get(key) != now.get(key):
            raise ValueError(
                f"out holds results of another job: {key} was {_short(before.get(key))} and is "
                f"{_short(now.get(key))}; another out is needed"
            )


def digest_of(names: Iterable[str]) -> str:
    """A digest of names in their order."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\0")
    return digest.hexdigest()


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
