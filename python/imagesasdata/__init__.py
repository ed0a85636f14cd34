"""Images as data for social science: classify photographs into data frames, and learn to from hand labels."""

import importlib
import os
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from .agreement import coder_agreement
    from .audit import audit_predictions
    from .datasheet import data_statement
    from .duplicates import find_duplicates
    from .estimator import ImageClassifier
    from .evaluate import evaluate_predictions
    from .faces.blur import blur_faces
    from .faces.cluster import cluster_faces
    from .faces.detect import detect_faces
    from .faces.express import score_expressions
    from .faces.pairs import verify_faces
    from .faces.people import enroll_people
    from .faces.recognize import recognize_faces
    from .findings import Findings
    from .frames import sample_frames
    from .regression.power import power_regress
    from .regression.regress import regress
    from .regression.result import Regression
    from .regression.share import estimate_share
    from .report import write_report
    from .saliency import plot_saliency, saliency_map
    from .sampling import sample_images
    from .strip import strip_metadata
    from .train.fine_tune import fine_tune
    from .train.learning import learning_curve
    from .train.validate import cross_validate

__all__ = [
    "Findings",
    "ImageClassifier",
    "ImageModel",
    "ImagesAsDataError",
    "ImagesAsDataWarning",
    "Interrupted",
    "Regression",
    "__version__",
    "add_model",
    "audit_predictions",
    "blur_faces",
    "cache_info",
    "classify_images",
    "clear_cache",
    "cluster_faces",
    "coder_agreement",
    "cross_validate",
    "data_statement",
    "detect_faces",
    "doctor",
    "embed_images",
    "enroll_people",
    "estimate_share",
    "evaluate_predictions",
    "find_duplicates",
    "fine_tune",
    "learning_curve",
    "list_models",
    "load_model",
    "merge_predictions",
    "model_card",
    "plot_saliency",
    "power_regress",
    "recognize_faces",
    "regress",
    "remove_model",
    "saliency_map",
    "sample_frames",
    "sample_images",
    "score_expressions",
    "strip_metadata",
    "tag_images",
    "to_r",
    "verify_faces",
    "write_report",
]

# Where the verbs live that need scikit-learn and SciPy, which take a second to load: at first use.
_AT_FIRST_USE = {
    "Findings": "findings",
    "Regression": "regression.result",
    "ImageClassifier": "estimator",
    "audit_predictions": "audit",
    "blur_faces": "faces.blur",
    "cluster_faces": "faces.cluster",
    "coder_agreement": "agreement",
    "cross_validate": "train.validate",
    "estimate_share": "regression.share",
    "data_statement": "datasheet",
    "detect_faces": "faces.detect",
    "enroll_people": "faces.people",
    "evaluate_predictions": "evaluate",
    "find_duplicates": "duplicates",
    "fine_tune": "train.fine_tune",
    "learning_curve": "train.learning",
    "plot_saliency": "saliency",
    "power_regress": "regression.power",
    "regress": "regression.regress",
    "saliency_map": "saliency",
    "sample_frames": "frames",
    "sample_images": "sampling",
    "strip_metadata": "strip",
    "recognize_faces": "faces.recognize",
    "score_expressions": "faces.express",
    "verify_faces": "faces.pairs",
    "write_report": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _AT_FIRST_USE:
        raise AttributeError(f'imagesasdata has no "{name}"')
    globals()[name] = value = getattr(importlib.import_module(f".{_AT_FIRST_USE[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
