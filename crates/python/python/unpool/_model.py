"""`Model`: a network in a file, what the file says of it, forward to its layers and back from them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from . import _images, _unpool
from ._arrays import Array, as_array
from ._parts import Floats, Layer, Projection, Region, Rule, Target, Unit

__all__ = ["Model", "as_floats", "shaped", "units_of"]


class Model:
    """The part of a `Network` that runs the file's own layers, forward and back."""

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
        array = as_floats(images)
        return shaped(self._network.forward(array.reshape(-1), list(array.shape)))

    def activation(self, layer: str) -> Floats:
        """The responses of a layer to the last images."""
        return shaped(self._network.activation(layer))

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
        return Projection(shaped(map_), units_of(units))

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
        return shaped(self._network.class_activation(method, layer, target, at))

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
        return shaped(self._network.vector_jacobian(layer, as_floats(signal).reshape(-1), rule))


def as_floats(images: Any) -> Floats:
    """Images as float32 in raster order."""
    array = as_array(images, "images")
    if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
        raise TypeError(f"images hold {array.dtype.name}; floats and integers are allowed")
    made = np.ascontiguousarray(array, dtype=np.float32)
    return made if made.flags.aligned else made.copy()


def shaped(parts: tuple[Array, tuple[int, ...]]) -> Floats:
    data, shape = parts
    return data.reshape(shape)


def units_of(units: list[tuple[int, int, float] | None]) -> list[Unit | None]:
    return [None if unit is None else Unit(*unit) for unit in units]
