"""Images as data for social science: classify photographs into data frames."""

import os

# ONNX Runtime reports its use to its makers, with a number for the machine, unless it is told not to before it loads.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from .cache import cache_info, clear_cache
from .classify import classify_images
from .doctor import doctor
from .embed import embed_images
from .errors import ImagesAsDataError, ImagesAsDataWarning, Interrupted
from .merge import merge_predictions
from .model import ImageModel, load_model, model_card
from .registry import add_model, list_models, remove_model
from .rpy import to_r
from .tags.tagger import tag_images
from .version import __version__

__all__ = [
    "ImageModel",
    "ImagesAsDataError",
    "ImagesAsDataWarning",
    "Interrupted",
    "__version__",
    "add_model",
    "cache_info",
    "classify_images",
    "clear_cache",
    "doctor",
    "embed_images",
    "list_models",
    "load_model",
    "merge_predictions",
    "model_card",
    "remove_model",
    "tag_images",
    "to_r",
]
