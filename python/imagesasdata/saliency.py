"""Where in a photograph a model sees a class: class activation maps."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnx
from PIL import Image

from .card import ModelCard
from .classify import probabilities
from .decode import Limits, Pixels, decode_image
from .devices import open_session
from .errors import ArgumentInvalid, ImageFailed, ModelInvalid, quoted
from .graph import input_shape
from .last_layer import last_layer, no_map
from .model import ImageModel, load_model
from .reading import Unreadable, read_file
from .registry import DEFAULT_MODEL
from .runtime import PIXELS, interruptible, with_pixel_input

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]


def saliency_map(
    image: str | os.PathLike[str],
    model: str | os.PathLike[str] | ImageModel = DEFAULT_MODEL,
    class_name: str | None = None,
    device: str = "cpu",
) -> Floats:
    """Return where in a photograph a model sees a class: its class activation map (Zhou et al. 2016).

    The last layer weighs the averages of feature maps. The same weights, applied to the maps before they are averaged,
    say how much each place adds to the class. For models whose embedding is that average, such as the bundled ones and
    all that are fine-tuned from them, this is no approximation: before scaling, the map sums up to what the last layer
    gives the class, less its bias.

    Parameters
    ----------
    image : path
        One photograph.
    model : str, path or ImageModel
        A name from `list_models`, or a path to an .onnx file.
    class_name : str, optional
        The class, attribute or score. By default the predicted class, the most probable attribute, or the only score.
    device : str
        As in `classify_images`.

    Returns
    -------
    numpy.ndarray
        ``[size, size]`` float64, 0 to 1: 1 where the class gets most, 0 where it gets nothing or less (all 0 where that
        is everywhere). Rows and columns are those of what the model sees, which is the upright photograph after the
        model's own crop: for the bundled models the centre square, and not the margins. It is interpolated from few
        fields (7 x 7 in EfficientNet-Lite0), so an edge in it is no edge of a thing.

    Raises
    ------
    ImageFailed
        The photograph cannot be read.
    ModelInvalid
        The last layer of the model does not stand on an average of feature maps.
    ArgumentInvalid
        The model has no such class.

    References
    ----------
    Zhou, B., Khosla, A., Lapedriza, A., Oliva, A. and Torralba, A. (2016). Learning deep features for discriminative
    localization. CVPR, 2921-2929. arXiv:1512.04150.

    Examples
    --------
    >>> import skimage
    >>> cat = saliency_map(skimage.__path__[0] + "/data/chelsea.png", class_name="tabby")
    >>> cat.shape, float(cat.max())
    ((224, 224), 1.0)
    """
    return ActivationMaps(load_model(model), device)(image, class_name).heat


def plot_saliency(
    image: str | os.PathLike[str],
    model: str | os.PathLike[str] | ImageModel = DEFAULT_MODEL,
    class_name: str | None = None,
    device: str = "cpu",
) -> Figure:
    """Show what a model sees of a photograph, and beside it where it sees the class.

    Parameters
    ----------
    image, model, class_name, device
        As in `saliency_map`.

    Returns
    -------
    matplotlib.figure.Figure
        The photograph as the model sees it, and the same with the map over it: the brighter, the more a place adds.

    Raises
    ------
    DependencyMissing
        matplotlib is not installed.
    ImageFailed, ModelInvalid, ArgumentInvalid
        As in `saliency_map`.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> iad.plot_saliency("a.jpg", "protest.onnx").savefig("saliency.png")  # doctest: +SKIP
    """
    from .charts.figure import need_matplotlib, new_figure, no_mathematics, style
    from .charts.words import drawn

    need_matplotlib()
    found = ActivationMaps(load_model(model), device)(image, class_name)
    with style():
        figure = new_figure(8.0, 4.3)
        left, right = figure.subplots(1, 2)
        left.imshow(found.pixels)
        left.set_title(drawn(os.path.basename(os.fspath(image)), 40))
        right.imshow(found.overlay())
        right.set_title(drawn(f"{found.class_name} ({found.value:.2f})", 40))
        for axes in (left, right):
            axes.set_axis_off()
        no_mathematics(figure)
    return figure


@dataclass(frozen=True)
class Activation:
    """A class activation map, and what it is about.

    Attributes
    ----------
    pixels : numpy.ndarray
        ``[size, size, 3]`` bytes: the photograph as the model sees it.
    fields : numpy.ndarray
        ``[h, w]``: what each field of the last feature map adds to the output of the last layer.
    class_name : str
        The class, attribute or score.
    value : float
        The class's probability, or the score.
    """

    pixels: Pixels
    fields: Floats
    class_name: str
    value: float

    @property
    def heat(self) -> Floats:
        """The map, interpolated to the size of `pixels`, 0 to 1."""
        side = self.pixels.shape[1], self.pixels.shape[0]
        wide = np.asarray(Image.fromarray(self.fields.astype(np.float32)).resize(side, Image.Resampling.BICUBIC))
        positive = np.maximum(wide.astype(np.float64), 0.0)
        most = float(positive.max())
        return positive / most if most > 0 else positive

    def overlay(self) -> Pixels:
        """Return the photograph in grey with the map in colour over it, ``[size, size, 3]`` bytes."""
        from matplotlib import colormaps

        heat = self.heat
        colour = np.asarray(colormaps["viridis"](heat))[:, :, :3] * 255
        grey = self.pixels @ np.array([0.299, 0.587, 0.114])
        share = 0.2 + 0.45 * heat[:, :, None]
        mixed = (1 - share) * grey[:, :, None] + share * colour
        return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


class ActivationMaps:
    """A model, open on a device, that says where it sees a class.

    Raises
    ------
    ModelInvalid
        The last layer of the model does not stand on an average of feature maps.
    """

    def __init__(self, model: ImageModel, device: str = "cpu") -> None:
        proto, self.card = model.read()
        self._layer = last_layer(proto, self.card)
        self._batch = next(iter(input_shape(proto, str(self.card.tensors["input"]))), None) or 1
        output = str(self.card.tensors["output"])
        graph = with_pixel_input(proto, self.card, self._layer.feature_map)
        graph.graph.output.append(onnx.ValueInfoProto(name=output))
        self._names = [self._layer.feature_map, output]
        self._session = open_session(graph.SerializeToString(), device, str(model.path)).session

    def __call__(self, image: str | os.PathLike[str], class_name: str | None = None) -> Activation:
        """Return where the model sees a class in a photograph; arguments as in `saliency_map`."""
        card, limits = self.card, Limits()
        path = os.path.expanduser(os.fspath(image))
        try:
            pixels = decode_image(read_file(path, limits.max_bytes), card.preprocessing, limits)
        except Unreadable as problem:
            raise ImageFailed(f'"{os.fspath(image)}": {problem}.') from None
        features, output = self._run(pixels)
        values = probabilities(output, card.activation)[0]
        chosen = _choose(card, values, class_name)
        fields = self._layer.fields(features, chosen)
        if not np.isfinite(fields).all() or not np.isfinite(values[chosen]):
            raise ModelInvalid(f'The model "{card.name}" returned no number (NaN or infinite) for "{path}".')
        return Activation(_as_rgb(pixels, card), fields, card.classes[chosen], float(values[chosen]))

    def _run(self, pixels: Pixels) -> tuple[Floats, Floats]:
        batch = np.repeat(np.ascontiguousarray(pixels)[None], self._batch, axis=0)
        try:
            found = interruptible(lambda stop: self._session.run(self._names, {PIXELS: batch}, stop.options))
        except Exception as problem:  # ONNX Runtime's own exceptions have no common public base
            raise ModelInvalid(f'The model "{self.card.name}" failed: {problem}') from problem
        features, output = (np.asarray(values, np.float64)[:1] for values in found)
        layer = self._layer
        channels = features.shape[3 if layer.channels_last else 1] if features.ndim == 4 else 0
        if channels != layer.weight.shape[1] or output.size != len(self.card.classes):
            raise ModelInvalid(no_map(self.card))
        return features[0], output.reshape(1, -1)


def _choose(card: ModelCard, values: Floats, class_name: str | None) -> int:
    if class_name is not None:
        if class_name not in card.classes:
            raise ArgumentInvalid(f"`class_name` is {class_name!r}; the model has {quoted(card.classes)}.")
        return card.classes.index(class_name)
    if card.task == "score" and len(card.classes) > 1:
        raise ArgumentInvalid(f"Give `class_name`: the model has several scores, {quoted(card.classes)}.")
    return int(values.argmax())


def _as_rgb(pixels: Pixels, card: ModelCard) -> Pixels:
    colour = card.preprocessing.colour
    if colour == "grey":
        return np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, ::-1] if colour == "BGR" else pixels)
