"""Explaining an image: the maps of each layer, target and rule, as files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import Network, Unit, describe
from .._arrays import Array
from .._images import Preprocessing
from . import _pictures
from ._parquet import table_file

__all__ = ["FORMATS", "Explain", "Model", "Rule", "Target"]

Target = str | tuple[str, int] | tuple[str, int, int]
#: The name of a rule or method, or the name and the method's parameters.
Rule = str | tuple[str, dict[str, Any]]

FORMATS = ("png", "npy", "parquet")
_LOOK_BACK = ("gradient", "deconvnet", "guided")
_CLASS_ACTIVATION = ("grad-cam", "grad-cam++")
_ATTRIBUTE = (
    "input-times-gradient",
    "integrated-gradients",
    "smoothgrad",
    "occlusion",
    "guided-grad-cam",
    "lrp-epsilon",
    "lrp-gamma",
)
_RULES = _LOOK_BACK + _CLASS_ACTIVATION + _ATTRIBUTE
_TARGETS = {"class": 1, "channel": 1, "responses": 1, "strongest": 1, "unit": 2}


class Model(NamedTuple):
    """A model on its way to other machines."""

    #: The file's content; its path if its weights are in a second file beside it.
    content: bytes | str
    sha256: str

    @classmethod
    def open(cls, model: str | os.PathLike[str] | bytes) -> tuple[Model, Network]:
        """The model, and the network of it on the CPU, whose weights are not read yet."""
        content = model if isinstance(model, bytes) else Path(model).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        try:
            return cls(content, digest), Network(content, keep=[])
        except (ValueError, OSError):
            if isinstance(model, bytes):
                raise
            path = str(Path(model).absolute())
            network = Network(path, keep=[])
            return cls(path, digest), network


class Asked(NamedTuple):
    """One of the maps of each image."""

    layer: str
    target: Target
    rule: str
    parameters: dict[str, Any]
    #: The name of its file, without an ending.
    file: str


class Made(NamedTuple):
    """One map of an image."""

    asked: Asked
    map: npt.NDArray[np.float32]
    #: The class, if the target is one, and its score.
    number: int | None
    score: float | None
    unit: Unit | None


class Explain:
    """The work of `unpool.ray.explain` on one image."""

    def __init__(
        self,
        model: Model,
        network: Network,
        layers: Sequence[str] | None,
        targets: Target | Sequence[Target],
        rules: Rule | Sequence[Rule],
        preprocessing: Preprocessing,
        format: str,
        device: str,
    ) -> None:
        if format not in FORMATS:
            raise ValueError(f"format is {format!r}; {list(FORMATS)} are allowed")
        if isinstance(layers, str):
            raise TypeError("layers is a str; a sequence of names is allowed")
        self.format = format
        self._model = model
        self._preprocessing = preprocessing
        self._device = device
        self._scores = network.scores
        self._maps = network.last_maps
        names = [network.scores] if layers is None else list(layers)
        self._asked = _asked(network, preprocessing, names, _several(targets), _rules(rules))
        kept = {network.scores, *(asked.layer for asked in self._asked)}
        kept.update(a.parameters["at"] for a in self._asked if "at" in a.parameters)
        if self._maps and any(a.rule in _CLASS_ACTIVATION for a in self._asked):
            kept.add(self._maps)
        self._keep = sorted(kept)
        self._network: Network | None = None

    def job(self) -> dict[str, Any]:
        """All that the results depend on, besides the images."""
        return {
            "operation": "explain",
            "model": self._model.sha256,
            "layers": sorted({asked.layer for asked in self._asked}),
            "maps": [[a.layer, _words(a.target), a.rule, a.parameters] for a in self._asked],
            "preprocessing": self._preprocessing._asdict(),
            "device": self._device,
        }

    def start(self) -> str:
        """Open the model; what computes, in words."""
        self._opened()
        return describe(self._device)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_network": None}

    def compute(self, content: bytes | Array) -> list[Made]:
        """The maps of one image, which runs by itself: a batch of another size may round otherwise."""
        network = self._opened()
        image = self._preprocessing.tensor(content)
        network.forward(image)
        scores = network.activation(self._scores).reshape(-1)
        best = int(scores.argmax())
        made: dict[int, Made] = {}
        # Those that run the network on other images come last: they leave other responses behind.
        order = sorted(range(len(self._asked)), key=lambda i: self._asked[i].rule in _ATTRIBUTE)
        for i in order:
            asked = self._asked[i]
            target = ("class", best) if asked.target == "best" else asked.target
            map_, unit = _map(network, image, asked, target)
            number = int(target[1]) if target[0] == "class" else None
            score = float(scores[number]) if number is not None and number < scores.size else None
            made[i] = Made(asked, np.ascontiguousarray(map_[0]), number, score, unit)
        return [made[i] for i in range(len(self._asked))]

    def marker(self, part: str) -> str:
        """The file that is written last: with it the part is there."""
        return f"parts/{part}.parquet" if self.format == "parquet" else f"items/{part}/item.json"

    def files(self, part: str, results: Sequence[tuple[str, list[Made]]]) -> list[tuple[str, bytes]]:
        """The files of a part, the marker last."""
        if self.format == "parquet":
            return [(self.marker(part), _table(results))]
        files = []
        for name, maps in results:
            records = []
            for made in maps:
                content, end = self._file(made)
                file = f"{made.asked.file}.{self.format}"
                files.append((f"items/{part}/{file}", content))
                records.append({"file": file, **_record(made), **({"end": end} if end else {})})
            item = json.dumps({"name": name, "maps": records}, indent=1, sort_keys=True)
            files.append((self.marker(part), item.encode()))
        return files

    def _opened(self) -> Network:
        if self._network is None:
            self._network = Network(
                self._model.content,
                keep=self._keep,
                relevance=any(asked.rule.startswith("lrp") for asked in self._asked),
                device=self._device,
            )
        return self._network

    def _file(self, made: Made) -> tuple[bytes, float | None]:
        if self.format == "npy":
            file = BytesIO()
            np.save(file, made.map)
            return file.getvalue(), None
        if made.asked.rule in _CLASS_ACTIVATION:
            height, width = self._preprocessing.size or made.map.shape[1:]
            return _pictures.evidence(made.map[0], height, width)
        return _pictures.signed(made.map.sum(axis=2 if self._preprocessing.channels_last else 0))


def _map(
    network: Network, image: Array, asked: Asked, target: Target
) -> tuple[npt.NDArray[np.float32], Unit | None]:
    """The map of one image, and the unit that it is of."""
    rule: Any = asked.rule
    if rule in _CLASS_ACTIVATION:
        at = asked.parameters.get("at")
        return network.class_activation(asked.layer, target, at, rule), None
    if rule in _LOOK_BACK:
        projection = network.look_back(asked.layer, target, rule)
    else:
        projection = network.attribute(image, asked.layer, target, rule, **asked.parameters)
    return projection.map, projection.units[0] if projection.units else None


def _asked(
    network: Network,
    preprocessing: Preprocessing,
    layers: Sequence[str],
    targets: Sequence[Target],
    rules: Sequence[tuple[str, dict[str, Any]]],
) -> list[Asked]:
    """Every layer with every target and every rule, checked as far as the file alone allows."""
    sides = preprocessing.size
    shape = None
    if sides is not None:
        colours = (preprocessing.channels,)
        shape = [1, *((*sides, *colours) if preprocessing.channels_last else (*colours, *sides))]
    known = {layer.name: layer for layer in network.layers(shape)} if shape else None
    asked, files = [], set()
    for layer in layers:
        if known is not None and layer not in known:
            raise ValueError(f"{layer!r} is not a layer of the model; it has {list(known)}")
        for target in targets:
            count = known[layer].channels if known is not None else None
            _check_target(target, layer, count, network.scores)
            for rule, parameters in rules:
                parts = (layer, _words(target), rule, *(f"{k}={v}" for k, v in parameters.items()))
                file = ".".join(re.sub(r"[^\w+=-]+", "-", part).strip("-") for part in parts)
                if file in files:
                    raise ValueError(f"two maps would be named {file}; ask for them in two runs")
                files.add(file)
                asked.append(Asked(layer, target, rule, parameters, file))
    if not asked:
        raise ValueError("layers, targets and rules ask for no map")
    return asked


def _check_target(target: Target, layer: str, channels: int | None, scores: str) -> None:
    if target == "layer":
        return
    if target == "best":
        if layer != scores:
            raise ValueError(f'target "best" is a class of {scores!r}; layer {layer!r} has none')
        return
    kind = target[0] if isinstance(target, tuple) and target else None
    if kind not in _TARGETS or len(target) != _TARGETS[kind] + 1:
        raise ValueError(
            f'target is {target!r}; "best", "layer", ("class", n), ("channel", n), ("responses", n), '
            '("strongest", n) and ("unit", channel, position) are allowed'
        )
    number = target[1]
    if not isinstance(number, int) or number < 0 or (channels is not None and number >= channels):
        raise ValueError(f"target is {target!r}; layer {layer!r} has {channels} channels")


def _several(targets: Target | Sequence[Target]) -> list[Target]:
    """One target, or several."""
    if isinstance(targets, str):
        return [targets]
    if isinstance(targets, tuple) and targets and targets[0] in _TARGETS:
        return [targets]
    return list(targets)  # type: ignore[arg-type]


def _rules(rules: Rule | Sequence[Rule]) -> list[tuple[str, dict[str, Any]]]:
    """One rule, or several, with their parameters."""
    if isinstance(rules, str) or (len(rules) == 2 and isinstance(rules[1], dict)):
        rules = [rules]  # type: ignore[list-item]
    made: list[tuple[str, dict[str, Any]]] = []
    for rule in rules:
        pair: Any = (rule, {}) if isinstance(rule, str) else rule
        name, parameters = pair
        if name not in _RULES:
            raise ValueError(f"rule {name!r} is unknown; {list(_RULES)} are allowed")
        allowed = {"at"} if name in _CLASS_ACTIVATION else set() if name in _LOOK_BACK else None
        if allowed is not None and not set(parameters) <= allowed:
            raise ValueError(f"rule {name!r} takes {sorted(allowed)}, and was given {parameters}")
        made.append((name, dict(parameters)))
    return made


def _words(target: Target) -> str:
    return target if isinstance(target, str) else "-".join(map(str, target))


def _record(made: Made) -> dict[str, Any]:
    """What there is to say of a map."""
    record: dict[str, Any] = {
        "layer": made.asked.layer,
        "target": _words(made.asked.target),
        "rule": made.asked.rule,
        "shape": list(made.map.shape),
    }
    if made.number is not None:
        record["class"], record["score"] = made.number, made.score
    if made.unit is not None:
        record["unit"] = made.unit._asdict()
    return record


def _table(results: Sequence[tuple[str, list[Made]]]) -> bytes:
    """A row for each map."""
    import pyarrow as pa

    rows = [(name, made) for name, maps in results for made in maps]
    units = [made.unit for _, made in rows]
    columns: list[tuple[str, Any, list[Any]]] = [
        ("name", pa.string(), [name for name, _ in rows]),
        ("layer", pa.string(), [made.asked.layer for _, made in rows]),
        ("target", pa.string(), [_words(made.asked.target) for _, made in rows]),
        ("rule", pa.string(), [made.asked.rule for _, made in rows]),
        ("class", pa.int32(), [made.number for _, made in rows]),
        ("score", pa.float32(), [made.score for _, made in rows]),
        ("channel", pa.int32(), [unit and unit.channel for unit in units]),
        ("position", pa.int64(), [unit and unit.position for unit in units]),
        ("response", pa.float32(), [unit and unit.value for unit in units]),
        ("shape", pa.list_(pa.int32()), [list(made.map.shape) for _, made in rows]),
        ("map", pa.list_(pa.float32()), [made.map.reshape(-1) for _, made in rows]),
    ]
    return table_file(columns)
