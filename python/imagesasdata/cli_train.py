"""The verbs of the command ``iad`` about hand labels, training and evaluation."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .errors import ImagesAsDataWarning, TableUnreadable
from .registry import DEFAULT_MODEL, model_path
from .tablefiles import TABLE_SUFFIXES, print_table, read_table, write_table

if TYPE_CHECKING:
    from .findings import Findings

METHODS = ("head", "tail", "full")
DONE = 0
Add = Callable[..., argparse.ArgumentParser]


def add_verbs(add: Add) -> None:
    """Add the verbs; `add` is ``add_parser`` of the command's subparsers."""
    train = verb(add, "train", "fine-tune a model on hand labels and measure it by cross-validation", _train)
    labels_options(train)
    _training_options(train, "auto", ("auto", *METHODS))
    train.add_argument("--out", required=True, help="the model file to write, such as protest.onnx")
    train.add_argument("--name", help="name of the model (default: that of the file)")
    train.add_argument("--epochs", type=int, help="how often to go through the photographs (tail and full)")
    train.add_argument("--folds", type=int, default=5, help="folds of the cross-validation (default: %(default)s)")
    train.add_argument("--overwrite", action="store_true", help="replace a file that is there")

    validate = verb(add, "cross-validate", "measure how well training on these labels does on new photographs", _cross)
    labels_options(validate)
    _training_options(validate, "head", METHODS)
    validate.add_argument("--epochs", type=int, help="how often to go through the photographs (tail and full)")
    validate.add_argument("--folds", type=int, default=5, help="how many (default: %(default)s)")
    validate.add_argument("--repeats", type=int, default=1, help="cut into folds so often (default: %(default)s)")
    findings_option(validate)

    curve = verb(add, "learning-curve", "measure what more labels would bring", _curve)
    labels_options(curve)
    _training_options(curve, "head", METHODS)
    curve.add_argument("--sizes", type=int, nargs="+", help="numbers of labels")
    curve.add_argument("--repeats", type=int, default=5, help="subsets for each size and fold (default: %(default)s)")
    findings_option(curve)

    evaluate = verb(add, "evaluate", "compare predictions with the truth, with intervals", _evaluate)
    _predictions_options(evaluate)
    evaluate.add_argument("--by", nargs="+", help="columns: figures for each subgroup too")

    audit = verb(add, "audit", "compare the rates of errors of groups, with intervals and tests", _audit)
    _predictions_options(audit)
    audit.add_argument("--by", nargs="+", required=True, help="columns: each divides the photographs into groups")
    audit.add_argument("--class-name", nargs="+", help="the classes, attributes or scores that are compared")

    report = verb(add, "report", "write what was found as one HTML page", _report)
    report.add_argument("found", help="a .zip that another verb wrote with --save, or a model that was fine-tuned")
    report.add_argument("--out", required=True, help="the page to write, such as report.html")
    report.add_argument("--model", help="a model, for pictures of what the network looked at")
    report.add_argument("--image-dir", help="the folder from which relative paths start")
    report.add_argument("--overwrite", action="store_true", help="replace a file that is there")

    agreement = verb(add, "agreement", "how far coders agree, with intervals", _agreement)
    agreement.add_argument("labels", help="a table file with the coders' labels")
    agreement.add_argument("--image-col", default="image", help="the column with the paths (default: %(default)s)")
    agreement.add_argument("--label-col", nargs="+", default=["label"], help="the column(s) with the labels")
    agreement.add_argument(
        "--coders", nargs="+", default=["coder"], help="the column of the coder, or the coders' columns"
    )
    agreement.add_argument("--scale", default="auto", choices=("auto", "nominal", "ordinal", "interval"))
    agreement.add_argument("--replicates", type=int, default=1000, help="of the bootstrap (default: %(default)s)")
    numbers(agreement)
    findings_option(agreement)

    sample = verb(add, "sample", "draw photographs to code by hand, with their inclusion probabilities", _sample)
    _images_options(sample, "pool", "photographs to draw from: a folder, or a table file with --image-col")
    sample.add_argument("--n", type=int, required=True, help="how many to draw")
    sample.add_argument("--strategy", default="random", choices=("random", "stratified", "uncertain"))
    sample.add_argument("--strata", nargs="+", help="columns, for stratified")
    sample.add_argument("--model", default=DEFAULT_MODEL, help="whose uncertainty counts (default: %(default)s)")
    sample.add_argument("--labelled", help="a table file of photographs that are coded already")
    sample.add_argument("--seed", type=int, default=1)
    _table_option(sample)

    double = verb(
        add, "duplicates", "find near-duplicates: resized, recompressed, cropped or marked copies", _duplicates
    )
    _images_options(double, "images", "a folder, images, or a table file with --image-col")
    double.add_argument(
        "--correlation", type=float, default=0.8, help="of the thumbnails of a pair (default: %(default)s)"
    )
    _table_option(double)


def verb(add: Add, name: str, help: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser = add(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def labels_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("labels", help="a folder with a folder for each class, or a table file")
    parser.add_argument("--image-col", default="image", help="the column with the paths (default: %(default)s)")
    parser.add_argument("--label-col", nargs="+", default=["label"], help="the column(s) with the labels")
    parser.add_argument("--image-dir", help="the folder from which relative paths start")
    parser.add_argument("--coders", nargs="+", help="the column that names the coder, or the columns of the coders")
    parser.add_argument("--task", default="auto", choices=("auto", "single", "multi", "score"))
    parser.add_argument("--groups", help="a column: photographs with the same value are kept together")


def _predictions_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("predictions", help=f"a table file ({', '.join(sorted(TABLE_SUFFIXES))})")
    parser.add_argument("--truth", required=True, help="a column of it, a table file or a folder of class folders")
    parser.add_argument("--image-col", default="image", help="the column with the paths (default: %(default)s)")
    parser.add_argument("--label-col", nargs="+", default=["label"], help="the column(s) of a table of truth")
    parser.add_argument("--cluster", help="a column: its photographs are drawn together for the intervals")
    parser.add_argument("--coders", nargs="+", help="who coded, where several did, as for train")
    numbers(parser)
    parser.add_argument("--replicates", type=int, default=1000, help="of the bootstrap (default: %(default)s)")
    findings_option(parser)


def _training_options(parser: argparse.ArgumentParser, method: str, methods: tuple[str, ...]) -> None:
    parser.add_argument(
        "--backbone", default=DEFAULT_MODEL, help="name, .onnx file, or timm/NAME (default: %(default)s)"
    )
    parser.add_argument("--method", default=method, choices=methods, help="what is trained (default: %(default)s)")
    parser.add_argument(
        "--class-weights", choices=("balanced",), help="let rare classes count as much as frequent ones"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default: %(default)s)")
    parser.add_argument(
        "--cache", action=argparse.BooleanOptionalAction, default=True, help="use the cached embeddings"
    )
    numbers(parser)
    _progress_option(parser)


def _images_options(parser: argparse.ArgumentParser, name: str, help: str) -> None:
    parser.add_argument(name, nargs="+", help=help)
    parser.add_argument("--image-col", help="the column with the paths, of a table file")
    parser.add_argument("--image-dir", help="the folder from which relative paths start")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default: %(default)s)")
    parser.add_argument(
        "--cache", action=argparse.BooleanOptionalAction, default=True, help="use the cached embeddings"
    )
    _progress_option(parser)


def numbers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--conf-level", type=float, default=0.95, help="level of the intervals (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")


def _progress_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=None, help="show a bar")


def findings_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save", metavar="FILE.zip", help="write all tables to this file")
    _replace_option(parser, "save")


def _table_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", help="table to write, by suffix; without it, CSV to standard output")
    _replace_option(parser, "out")


def _replace_option(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("--overwrite", dest="replace", action="store_true", help="replace a file that is there")
    parser.set_defaults(late=(name,))


def given_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options as arguments of a verb: one name is a text, several are a list."""
    given = {k: v for k, v in vars(options).items() if k not in ("run", "save", "out", "found", "predictions", "truth")}
    for name in ("label_col", "coders", "strata", "by", "class_name"):
        if given.get(name):
            given[name] = given[name][0] if len(given[name]) == 1 else list(given[name])
    if "progress" in given and given["progress"] is None:
        given["progress"] = sys.stderr.isatty()
    return given


def show_warnings() -> None:
    """Print warnings as sentences, without the line of code that Python would show."""

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if issubclass(category, ImagesAsDataWarning):
            print(f"iad: note: {message}", file=sys.stderr)

    warnings.simplefilter("always", ImagesAsDataWarning)
    warnings.showwarning = show


def _train(options: argparse.Namespace) -> int:
    import imagesasdata as iad
    from imagesasdata.train.fine_tune import validation_path

    show_warnings()
    model = iad.fine_tune(**given_of(options), out=options.out)
    if model.validation:
        _show(model.validation)
    print(f"{model.path}: written; {validation_path(model.path).name} beside it holds the tables", file=sys.stderr)
    return DONE


def _show(found: Findings) -> None:
    """Print the summary; the notes were shown as warnings."""
    print("\n".join(found.lines))


def finish(found: Findings, options: argparse.Namespace) -> int:
    _show(found)
    if options.save:
        found.save(options.save)
        print(f"written to {options.save}", file=sys.stderr)
    return DONE


def _cross(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    show_warnings()
    return finish(iad.cross_validate(**given_of(options)), options)


def _curve(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    show_warnings()
    return finish(iad.learning_curve(**given_of(options)), options)


def _evaluate(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    show_warnings()
    predictions = read_table(options.predictions)
    return finish(iad.evaluate_predictions(predictions, options.truth, **given_of(options)), options)


def _audit(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    show_warnings()
    predictions = read_table(options.predictions)
    return finish(iad.audit_predictions(predictions, options.truth, **given_of(options)), options)


def _agreement(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    show_warnings()
    return finish(iad.coder_agreement(**given_of(options)), options)


def _report(options: argparse.Namespace) -> int:
    import imagesasdata as iad
    from imagesasdata.train.fine_tune import validation_path

    show_warnings()
    found, model = Path(options.found), options.model
    if found.suffix.lower() != ".zip":
        path = model_path(options.found)
        found, model = validation_path(path), model or path
        if not found.exists():
            raise TableUnreadable(f'"{path}" has no "{found.name}" beside it, which fine-tuning writes.')
    page = iad.write_report(iad.Findings.load(found), options.out, model, options.image_dir, options.overwrite)
    print(f"{page}: written", file=sys.stderr)
    return DONE


def _table(table: pa.Table, options: argparse.Namespace) -> int:
    if options.out:
        write_table(table, options.out)
        print(f"{table.num_rows:,} rows, written to {options.out}", file=sys.stderr)
    else:
        print_table(table)
    return DONE


def _sample(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    given = given_of(options)
    given["pool"] = given["pool"][0] if len(given["pool"]) == 1 else given["pool"]
    if options.labelled:
        given["labelled"] = read_table(options.labelled)
    return _table(iad.sample_images.arrow(**given), options)


def _duplicates(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    given = given_of(options)
    given["images"] = given["images"][0] if len(given["images"]) == 1 else given["images"]
    return _table(iad.find_duplicates.arrow(**given), options)
