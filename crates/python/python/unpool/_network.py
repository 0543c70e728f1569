"""`Network`: a trained network, and what it makes of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from . import _sheet
from ._model import Model, as_floats, shaped, units_of
from ._parts import Floats, Projection, Target, Unit

__all__ = ["Network"]


class Network(Model):
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
        array = as_floats(images)
        map_, units = self._network.attribute(
            array.reshape(-1), list(array.shape), layer, target, method, parameters
        )
        return Projection(shaped(map_), units_of(units))

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
        return shaped(
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
        array = as_floats(images)
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
