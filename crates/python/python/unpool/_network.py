"""`Network`: a trained network, forward to its layers and back to its input."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from . import _images, _sheet, _unpool
from ._arrays import Array, as_array
from ._parts import Floats, Layer, Projection, Region, Rule, Target, Unit

__all__ = ["Network"]


class Network:
    """A trained network in ONNX.

    Parameters
    ----------
    model : str, path, or bytes
        The file, or its content.
    keep : sequence of str, optional
        The layers that are read and looked back from; all by default. Later layers reuse the memory of
        those that are not kept.
    relevance : bool
        Whether relevance (``"lrp-epsilon"``, ``"lrp-gamma"``) is sent back from the layers of
        `keep`, which keeps more.
    memory_limit : int, optional
        Bytes that the tensors of a run may need in total; 8 GiB by default.
    device : str
        As for `max_pool`.

    Notes
    -----
    A target is ``"layer"`` (the sum of all its units), ``("class", n)``, ``("channel", n)`` (the
    sum of a channel), ``("responses", n)`` (a channel with its own responses as the signal),
    ``("strongest", n)`` (the strongest unit of a channel, in each image its own), or
    ``("unit", channel, position)``, with the position flattened.

    A network may be used from several threads, which take turns. As the file is mapped into memory,
    it must not be changed while the network is in use.

    Examples
    --------
    >>> import numpy as np
    >>> import unpool
    >>> network = unpool.Network("digits.onnx")
    >>> network.input_shape
    (None, 1, 32, 32)
    >>> scores = network.forward(np.zeros((2, 1, 32, 32), np.float32))
    >>> scores.shape
    (2, 10)
    >>> network.look_back(network.scores, ("class", 3), "guided").map.shape
    (2, 1, 32, 32)
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        keep: Sequence[str] | None = None,
        relevance: bool = False,
        memory_limit: int | None = None,
        device: str = "cpu",
    ) -> None:
        if isinstance(keep, str):
            raise TypeError("keep is a str; a sequence of names is allowed")
        kept = None if keep is None else list(keep)
        path, content = (None, model) if isinstance(model, bytes) else (os.fspath(model), None)
        self._name = "the network" if path is None else Path(path).name
        self._network = _unpool.Network(path, content, kept, relevance, memory_limit, device)

    @staticmethod
    def operators() -> list[str]:
        """The operators of ONNX that a network may use."""
        return _unpool.Network.operators()

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """The extents of the input; None where any is allowed, or where the file says none."""
        dims = self._network.input_dims()
        return None if dims is None else tuple(dims)

    @property
    def input_layout(self) -> str:
        """Whether channels come first or last in the input."""
        return self._network.input_layout()

    @property
    def largest_pixel(self) -> float | None:
        """The largest value of an image, 255 or 1, where the file's first arithmetic tells."""
        return self._network.largest_pixel()

    @property
    def memory(self) -> tuple[int, int] | None:
        """Bytes of the weights and of the tensors on the device; None before `forward`."""
        return self._network.memory()

    @property
    def output(self) -> str:
        """The name of the layer that makes the output."""
        return self._network.ends(None)[0]

    @property
    def scores(self) -> str:
        """The name of the layer of the class scores: the output, or what a last softmax reads."""
        return self._network.ends(None)[1]

    @property
    def last_maps(self) -> str | None:
        """The name of the last layer with maps, where class activation maps are usually taken."""
        return self._network.ends(None)[2]

    def metadata(self, key: str) -> str | None:
        """What the file says of itself under a key of its ``metadata_props``."""
        return self._network.metadata(key)

    def layers(self, input_shape: Sequence[int] | None = None) -> list[Layer]:
        """The layers, in the order in which they run.

        Parameters
        ----------
        input_shape : sequence of int, optional
            The shape of the images; by default that of the last ones, or the file's own.
        """
        shape = None if input_shape is None else list(input_shape)
        return [
            Layer(name, operator, tuple(extents), channels, parameters, tuple(inputs), layout, maps)
            for name, operator, extents, channels, parameters, inputs, layout, maps in (
                self._network.layers(shape)
            )
        ]

    def receptive_field(
        self, layer: str, position: int = 0, input_shape: Sequence[int] | None = None
    ) -> Region:
        """The part of the image that a unit of a layer depends on.

        Parameters
        ----------
        layer : str
            The layer.
        position : int
            The unit's position in its channel, flattened.
        input_shape : sequence of int, optional
            As for `layers`.
        """
        shape = None if input_shape is None else list(input_shape)
        ranges, whole = self._network.receptive_field(layer, position, shape)
        return Region(tuple(ranges), whole)

    def prepare(
        self,
        images: Any,
        *,
        preset: str | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        size: tuple[int, int] | None = None,
    ) -> Floats:
        """Make the input of photographs: the middle of each in the network's size, channels, and scale.

        Parameters
        ----------
        images : path, Pillow image, or array, or a list of them
            Photographs. An array is of uint8, ``(height, width, 3)`` or ``(height, width)``.
        preset : {"unit", "imagenet", "keras", "byte", "caffe"}, optional
            What the network was trained on; by default what the model says of itself, else ``"unit"``,
            values of 0 to 1.
        mean, std : float or sequence of float, optional
            Instead of a preset: the mean and the standard deviation of each channel, of values of 0 to 1.
        size : (height, width), optional
            The size of the input, where the model leaves it open; by default the image's own.

        Returns
        -------
        ndarray of float32
            A batch, for `forward` and `attribute`.

        Raises
        ------
        ImportError
            Without Pillow, which ``pip install unpool[images]`` brings.

        Examples
        --------
        >>> import unpool
        >>> network = unpool.Network("flowers.onnx")
        >>> network.forward(network.prepare(["tulips.jpg", "sunflowers.jpg"])).argmax(axis=1)
        array([4, 3])
        """
        preprocessing = _images.Preprocessing.of(self, preset, mean, std, size)
        several = images if isinstance(images, list | tuple) else [images]
        tensors = [preprocessing.tensor(_images.content_of(image)) for image in several]
        shapes = {tensor.shape for tensor in tensors}
        if len(shapes) != 1:
            raise ValueError(f"images are of the shapes {sorted(shapes)}; size gives them one")
        return np.concatenate(tensors)

    def forward(self, images: Any) -> Floats:
        """Run the network on images, and return its output.

        Parameters
        ----------
        images : array_like
            A batch in the layout of the input, of floats or integers, which become float32 unscaled.

        Returns
        -------
        ndarray of float32
        """
        array = _inputs(images)
        return _tensor(self._network.forward(array.reshape(-1), list(array.shape)))

    def activation(self, layer: str) -> Floats:
        """The responses of a layer to the last images."""
        return _tensor(self._network.activation(layer))

    def look_back(
        self, layer: str, target: Target, rule: Rule = "gradient", *, to: str | None = None
    ) -> Projection:
        """Look back from a layer to the input, for each of the last images.

        Parameters
        ----------
        layer : str
            The layer.
        target : str or tuple
            Its units; see the notes of the class.
        rule : {"gradient", "deconvnet", "guided"}
            How the signal passes a ReLU.
        to : str, optional
            Another layer to look back to.

        Returns
        -------
        Projection
            The map, and the unit of each image if the target is a single one.
        """
        map_, units = self._network.look_back(layer, target, rule, to)
        return Projection(_tensor(map_), _units(units))

    def class_activation(
        self,
        layer: str,
        target: Target,
        at: str | None = None,
        method: Literal["grad-cam", "grad-cam++"] = "grad-cam",
    ) -> Floats:
        """Where the evidence for a target lies, in the maps of a layer.

        Parameters
        ----------
        layer : str
            The layer of the target.
        target : str or tuple
            See the notes of the class.
        at : str, optional
            The layer with the maps; by default `last_maps`.
        method : {"grad-cam", "grad-cam++"}
            How the channels are weighted.

        Returns
        -------
        ndarray of float32
            ``(batch, 1, …)`` of the spatial extents of `at`.
        """
        at = self.last_maps if at is None else at
        if at is None:
            raise ValueError("the network has no layer with maps; at names one")
        return _tensor(self._network.class_activation(method, layer, target, at))

    def attribute(
        self,
        images: Any,
        layer: str,
        target: Target,
        method: str = "integrated-gradients",
        **parameters: Any,
    ) -> Projection:
        """How much each element of images counts for a target.

        Parameters
        ----------
        images : array_like
            As for `forward`.
        layer : str
            The layer of the target.
        target : str or tuple
            See the notes of the class.
        method : str
            ``"gradient"``, ``"deconvnet"``, ``"guided"``, ``"input-times-gradient"``,
            ``"integrated-gradients"`` (`baseline`, `steps`), ``"smoothgrad"`` (`noise`, `samples`,
            `seed`), ``"occlusion"`` (`size`, `stride`, `value`), ``"guided-grad-cam"`` (`at`),
            ``"lrp-epsilon"`` (`epsilon`) or ``"lrp-gamma"`` (`epsilon`, `gamma`).
        **parameters
            The parameters of the method.

        Returns
        -------
        Projection
            A map in the shape of the images, and the unit of each image if the target is a single
            one.
        """
        array = _inputs(images)
        map_, units = self._network.attribute(
            array.reshape(-1), list(array.shape), layer, target, method, parameters
        )
        return Projection(_tensor(map_), _units(units))

    def maximize(
        self,
        layer: str,
        target: Target,
        *,
        value_range: tuple[float, float] | Sequence[tuple[float, float]] = (0.0, 1.0),
        input_shape: Sequence[int] | None = None,
        steps: int = 200,
        rate: float = 0.02,
        decay: float = 0.01,
        blur: float = 1.0,
        shifts: bool = True,
        seed: int = 0,
    ) -> Floats:
        """Images for which a target responds strongly, found by gradient ascent from noise.

        Parameters
        ----------
        layer : str
            The layer of the target.
        target : str or tuple
            See the notes of the class.
        value_range : pair of float, or a sequence with one for each channel
            The least and the largest value of an image: those of black and white.
        input_shape : sequence of int, optional
            The shape of the images; by default one image of the file's own shape.
        steps : int
            Steps, 1 to 10,000.
        rate : float
            How far a step goes, as a part of the range.
        decay : float
            The part of the distance to the middle of the range that each step takes back.
        blur : float
            The deviation, in cells, of a Gaussian that smooths the image after every fourth step.
        shifts : bool
            Whether the image is shifted by a random number of cells before each step.
        seed : int
            Of the noise and the shifts. One seed gives the same on every machine.

        Returns
        -------
        ndarray of float32
        """
        shape = None if input_shape is None else list(input_shape)
        dims: Sequence[int | None] = shape or self.input_shape or ()
        channels = 1
        if len(dims) > 1:
            channels = dims[1 if self.input_layout == "channels-first" else -1] or 1
        pairs = np.array(value_range, np.float32)
        ranges = [(float(low), float(high)) for low, high in pairs.reshape(-1, 2)]
        if pairs.ndim == 1:
            ranges *= channels
        return _tensor(
            self._network.maximize(
                shape, layer, target, ranges, (steps, seed, shifts), (rate, decay, blur)
            )
        )

    def strongest(
        self, images: Any, layer: str, channel: int, count: int = 9
    ) -> list[tuple[int, Unit]]:
        """The units of a channel that respond most strongly to images.

        Only units that respond at all are taken, and of neighbours the strongest. Each image
        contributes at most as many as fill the list when all contribute alike.

        Parameters
        ----------
        images : array_like
            As for `forward`.
        layer : str
            The layer.
        channel : int
            The channel.
        count : int
            How many units, at most.

        Returns
        -------
        list of tuple
            The number of the image, and the unit; strongest first.
        """
        array = _inputs(images)
        found = self._network.strongest(
            array.reshape(-1), list(array.shape), layer, channel, count
        )
        return [(image, Unit(*unit)) for image, unit in ((f[0], f[1:]) for f in found)]

    def sheet(
        self,
        images: Any,
        *,
        classes: int | str | Sequence[int | str] | None = None,
        layers: str | Sequence[str] | None = None,
        channel: int | None = None,
        methods: str | Sequence[str] | None = None,
        labels: _sheet.Labels | None = None,
        preset: str | None = None,
        mean: _sheet.Numbers | None = None,
        std: _sheet.Numbers | None = None,
        size: tuple[int, int] | None = None,
        fit: Literal["crop", "squash"] = "crop",
    ) -> Any:
        """Draw what the network makes of an image, for people to look at.

        The sheet is that of the command ``unpool visualize``: the image, its best classes, where the
        evidence for the best one lies, and the strongest units of some layers.

        Parameters
        ----------
        images : path, Pillow image, or array, or a list of them
            Photographs. An array is of uint8, ``(height, width, 3)`` or ``(height, width)``.
        classes : int, str, or a sequence of them, optional
            Classes to be explained, by number or name, instead of the best one.
        layers : str or sequence of str, optional
            Layers whose units are shown; with `classes`, those in whose maps evidence is looked for.
        channel : int, optional
            A channel of the layers; by default the strongest.
        methods : str or sequence of str, optional
            ``"gradient"``, ``"deconvnet"``, ``"guided"``, ``"input-times-gradient"``,
            ``"integrated-gradients"``, ``"smoothgrad"``, ``"occlusion"``, ``"grad-cam"``,
            ``"grad-cam++"``, ``"guided-grad-cam"``, ``"lrp-epsilon"``, ``"lrp-gamma"``.
        labels : str, path, or sequence of str, optional
            Names of the classes: ``"imagenet"``, ``"voc"``, a file, or the names themselves; by default
            those in the model, and ImageNet's for 1,000 classes.
        preset : {"unit", "imagenet", "keras", "byte", "caffe"}, optional
            What the network was trained on; by default what the model says of itself.
        mean, std : float or sequence of float, optional
            Instead of a preset: the mean and the standard deviation of each channel, of values of 0 to 1.
        size : (height, width), optional
            The size of the input, where the model leaves it open.
        fit : {"crop", "squash"}
            How an image whose proportions are others gets the size of the input.

        Returns
        -------
        PIL.Image.Image, or a list of them
            A sheet for each image.

        Raises
        ------
        ImportError
            Without Pillow, which ``pip install unpool[images]`` brings.

        Notes
        -----
        The images of `forward`, and what the network keeps of them, stay as they are. If tqdm is
        installed, it counts the images of a list.

        Examples
        --------
        >>> import unpool
        >>> network = unpool.Network("digits.onnx")
        >>> sheet = network.sheet(np.full((48, 48), 128, np.uint8), classes=3)
        >>> sheet.format
        'PNG'
        """
        parameters = {
            "classes": classes,
            "layers": layers,
            "channel": channel,
            "methods": methods,
            "labels": labels,
            "preset": preset,
            "mean": mean,
            "std": std,
            "size": size,
            "fit": fit,
        }
        several = isinstance(images, list | tuple)
        sheets = _sheet.draw(
            self._network, self._name, images if several else [images], parameters
        )
        return sheets if several else sheets[0]

    def vector_jacobian(self, layer: str, signal: Any, rule: Rule = "gradient") -> Floats:
        """Send any signal of a layer's shape back to the input.

        Parameters
        ----------
        layer : str
            The layer.
        signal : array_like
            As many elements as the layer has.
        rule : {"gradient", "deconvnet", "guided"}
            How the signal passes a ReLU; under ``"gradient"`` this is the vector-Jacobian product.

        Returns
        -------
        ndarray of float32
        """
        return _tensor(self._network.vector_jacobian(layer, _inputs(signal).reshape(-1), rule))


def _inputs(images: Any) -> Floats:
    """Images as float32 in raster order."""
    array = as_array(images, "images")
    if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
        raise TypeError(f"images hold {array.dtype.name}; floats and integers are allowed")
    made = np.ascontiguousarray(array, dtype=np.float32)
    return made if made.flags.aligned else made.copy()


def _tensor(parts: tuple[Array, tuple[int, ...]]) -> Floats:
    data, shape = parts
    return data.reshape(shape)


def _units(units: list[tuple[int, int, float] | None]) -> list[Unit | None]:
    return [None if unit is None else Unit(*unit) for unit in units]
