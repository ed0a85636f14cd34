"""The command ``iad``: the verbs from the shell.

Exit status: 0 done, 1 wrong usage or an error that stopped the command, 2 done with failed images, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute

from . import cli_duties, cli_faces, cli_regress, cli_train, registry
from .cache import cache_info, clear_cache
from .card import ACTIVATIONS, TASKS
from .classify import classify_images
from .decode import COLOURS, FILTERS, MAX_PIXELS, RULES
from .doctor import doctor
from .embed import embed_images
from .errors import ImagesAsDataError
from .model import model_card
from .modelfile import verify_model
from .outputs import check_outputs
from .progress import BY_OTHERS, Progress
from .reading import MAX_BYTES
from .tablefiles import TABLE_SUFFIXES, print_table
from .tables import provenance_of
from .tags.tagger import tag_images
from .version import __version__

DONE, WRONG, SOME_FAILED, INTERRUPTED = 0, 1, 2, 130
EXAMPLES = """\
examples:
  iad classify photos/ --out predictions.parquet
  iad classify posts.csv --image-col photo --image-dir photos/ --out posts_labelled.csv
  iad tag photos/ --top 3 --out tags.csv
  iad blur photos/ --out shared/ --log hidden.csv
  iad train labels.csv --image-col photo --image-dir photos/ --out protest.onnx
  iad report protest.onnx --out protest.html
  iad strip photos/ --out clean/ --log removed.csv
  iad models add protest.onnx --classes classes.txt --size 224 --mean 0.485 0.456 0.406 --std 0.229 0.224 0.225
  iad doctor
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        check_outputs(options)
        return run(options)
    except ImagesAsDataError as problem:
        print(f"iad: {type(problem).__name__}: {problem}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt as stop:  # an Interrupted says what is done
        print(f"iad: {str(stop) or 'interrupted'}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `iad ... | head`
        sys.stderr.close()
        return DONE


class _Parser(argparse.ArgumentParser):
    """A parser whose usage errors have exit status 1, since 2 means failed images."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(WRONG, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="iad",
        description="Photographs as data: classify images into tables.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"imagesasdata {__version__}")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB", parser_class=_Parser)
    classify = _image_verb(verbs, "classify", "classify images: one row an image", _classify)
    classify.add_argument(
        "--probs", action=argparse.BooleanOptionalAction, help="a column for each class's probability"
    )
    classify.add_argument("--models", nargs="+", help="several models in place of --model, in one pass")
    _image_verb(verbs, "embed", "the numbers by which a network describes each image", _embed)
    tag = _image_verb(verbs, "tag", "tag images: the most probable classes, in long form", _tag)
    tag.add_argument("--top", type=int, default=5, help="at most this many tags an image (default: %(default)s)")
    tag.add_argument("--threshold", type=float, default=0.0, help="least probability, 0 to 1 (default: %(default)s)")
    cli_train.add_verbs(verbs.add_parser)
    cli_regress.add_verbs(verbs.add_parser)
    cli_duties.add_verbs(verbs.add_parser)
    cli_faces.add_verbs(verbs.add_parser)
    _models_verbs(verbs)
    cache = verbs.add_parser("cache", help="show or clear the cache of embeddings", description="The embeddings.")
    cache.add_argument("action", nargs="?", choices=("show", "clear"), default="show")
    cache.set_defaults(run=_cache)
    check = verbs.add_parser("doctor", help="look at the installation", description="Look at the installation.")
    check.set_defaults(run=_doctor)
    return parser


def _image_verb(
    verbs: argparse._SubParsersAction[_Parser], name: str, help: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.add_argument("images", nargs="+", help="a folder, images, a pattern, or a table file with --image-col")
    formats = ", ".join(sorted(TABLE_SUFFIXES))
    parser.add_argument(
        "--out",
        help=f"table to write, by suffix ({formats}), or a folder of parts; the same command resumes an "
        "unfinished run; without it, CSV to standard output",
    )
    parser.add_argument("--retry-failed", action="store_true", help="try again what failed in an earlier run")
    parser.add_argument("--overwrite", action="store_true", help="throw away an earlier run, whatever it was")
    parser.add_argument(
        "--cache", action=argparse.BooleanOptionalAction, default=True, help="use the cache of embeddings"
    )
    parser.add_argument("--model", default=registry.DEFAULT_MODEL, help="name or .onnx file (default: %(default)s)")
    parser.add_argument("--image-col", help="the column with the paths, where IMAGES is a table file")
    parser.add_argument("--image-dir", help="the folder from which relative paths start")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, tensorrt (default: %(default)s)")
    parser.add_argument("--precision", choices=("fp32", "fp16"), default="fp32", help="fp16: half precision, for GPUs")
    parser.add_argument("--batch-size", type=_number_or_auto, default="auto", help="images at once (default: auto)")
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=None, help="show a bar")
    parser.add_argument("--on-error", choices=("record", "stop"), default="record", help="what a broken image does")
    parser.add_argument("--max-pixels", type=int, default=MAX_PIXELS, help="largest photograph (default: %(default)s)")
    parser.add_argument("--max-bytes", type=int, default=MAX_BYTES, help="largest file (default: %(default)s)")
    parser.set_defaults(run=run)
    return parser


def _number_or_auto(text: str) -> int | str:
    try:
        return text if text == "auto" else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is neither "auto" nor a whole number') from None


def _shared(options: argparse.Namespace) -> dict[str, object]:
    """Return the arguments that every verb over images has."""
    names: tuple[str, ...] = (
        "model",
        "image_col",
        "image_dir",
        "device",
        "batch_size",
        "on_error",
        "max_pixels",
        "max_bytes",
        "out",
    )
    names += ("retry_failed", "overwrite", "cache", "precision")
    return {name: getattr(options, name) for name in names}


def _images(options: argparse.Namespace) -> str | list[str]:
    return options.images[0] if len(options.images) == 1 else list(options.images)


def _classify(options: argparse.Namespace) -> int:
    return _run(options, "classified", classify_images.arrow, {"probs": options.probs, "models": options.models})


def _embed(options: argparse.Namespace) -> int:
    return _run(options, "embedded", embed_images.arrow, {})


def _tag(options: argparse.Namespace) -> int:
    return _run(options, "tagged", tag_images.arrow, {"top": options.top, "threshold": options.threshold})


def _run(options: argparse.Namespace, done: str, verb: Callable[..., pa.Table], more: dict[str, object]) -> int:
    """Run a verb, write its table, and end with one line that says what happened."""
    start = time.perf_counter()
    count = _Count(sys.stderr.isatty() if options.progress is None else options.progress)
    table = verb(_images(options), **_shared(options), **more, progress=count)
    seconds = time.perf_counter() - start
    if not options.out:
        print_table(table)
    # A long table has several rows an image, one of them with rank 1 or missing.
    images = table.num_rows
    if "rank" in table.column_names:
        images = pa.compute.sum(pa.compute.equal(pa.compute.fill_null(table["rank"], 1), 1)).as_py() or 0
    failed = table.num_rows - table["error"].null_count
    note = " (see `error`)" if failed else ""
    device = provenance_of(table)["device"]
    print(
        f"{images:,} images: {images - failed:,} {done}, {failed:,} failed{note}, "
        f"{_speed(count.done, seconds, images)} on {device}" + (f", written to {options.out}" if options.out else ""),
        file=sys.stderr,
    )
    return SOME_FAILED if failed else DONE


class _Count:
    """A progress function that shows a bar, if wanted, and remembers how many images this call did itself."""

    def __init__(self, show: bool) -> None:
        self._show, self.done = show, 0
        self._bar: Progress | None = None

    def __call__(self, done: int, total: int, text: str) -> None:
        if self._show and self._bar is None:
            self._bar = Progress(True, total, text)
        if self._bar is not None:
            self._bar.advance(done - self.done)
            if done == total:
                self._bar.close()
        if not text.endswith(BY_OTHERS):
            self.done = done


def _speed(done: int, seconds: float, images: int) -> str:
    resumed = f" ({images - done:,} were there already)" if done < images else ""
    return f"{done / seconds:,.0f} images/s{resumed}"


def _models_verbs(verbs: argparse._SubParsersAction[_Parser]) -> None:
    parser = verbs.add_parser("models", help="list, show, add and remove models", description="The models by name.")
    parser.set_defaults(run=_models_list)
    actions = parser.add_subparsers(metavar="ACTION", parser_class=_Parser)
    actions.add_parser("list", help="list the models").set_defaults(run=_models_list)
    show = actions.add_parser("show", help="show a model's card")
    show.add_argument("model", nargs="?", default=registry.DEFAULT_MODEL)
    show.set_defaults(run=_models_show)
    verify = actions.add_parser("verify", help="check a model file against itself")
    verify.add_argument("model")
    verify.set_defaults(run=_models_verify)
    remove = actions.add_parser("remove", help="delete a model that you added")
    remove.add_argument("model")
    remove.set_defaults(run=_models_remove)
    add = actions.add_parser("add", help="take in an .onnx file")
    add.add_argument("path")
    add.add_argument("--classes", help="text file with one class name a line, in the order of the output")
    add.add_argument("--size", type=int, help="side of the network's input, in pixels")
    add.add_argument("--mean", type=float, nargs="+", help="one number a channel")
    add.add_argument("--std", type=float, nargs="+", help="one number a channel")
    add.add_argument("--scale", type=float, default=255.0, help="pixels are divided by it first (default: %(default)s)")
    add.add_argument("--resize", type=int, help="short side before the centre crop (default: size * 256 / 224)")
    add.add_argument("--rule", choices=RULES, default="short_side_crop")
    add.add_argument("--filter", choices=list(FILTERS), default="bilinear")
    add.add_argument("--colour", choices=COLOURS, default="RGB")
    add.add_argument("--task", choices=TASKS, default="single")
    add.add_argument("--activation", choices=ACTIVATIONS)
    add.add_argument("--output", help="name of the tensor with one number a class (default: the one of that width)")
    add.add_argument("--embedding", help="name of the tensor to use as embedding")
    add.add_argument("--name", help="name of the model (default: the file's)")
    add.add_argument("--licence", default="unknown")
    add.add_argument("--overwrite", action="store_true")
    add.set_defaults(run=_models_add)


def _models_list(options: argparse.Namespace) -> int:
    columns = ["name", "task", "classes", "size", "megabytes", "licence", "where"]
    print(registry.list_models()[columns].to_string(index=False, float_format=lambda x: f"{x:.1f}"))
    return DONE


def _models_show(options: argparse.Namespace) -> int:
    print(model_card(options.model), end="")
    return DONE


def _models_verify(options: argparse.Namespace) -> int:
    path = registry.model_path(options.model)
    card = verify_model(path)
    print(f"{path}: valid; {card.task}, {len(card.classes):,} classes, backbone {card.backbone.get('name', 'none')}")
    return DONE


def _models_add(options: argparse.Namespace) -> int:
    given = {key: value for key, value in vars(options).items() if key not in ("run",)}
    path = registry.add_model(**given)
    print(f"{path}: added. Use it as --model {options.name or path.rsplit('/', 1)[-1].removesuffix('.onnx')}")
    return DONE


def _models_remove(options: argparse.Namespace) -> int:
    registry.remove_model(options.model)
    print(f"{options.model}: removed")
    return DONE


def _cache(options: argparse.Namespace) -> int:
    if options.action == "clear":
        clear_cache()
    row = cache_info.arrow().to_pylist()[0]
    print(f"{row['images']:,} embeddings, {row['megabytes']:,.0f} MB, {row['files']:,} files in {row['folder']}")
    return DONE


def _doctor(options: argparse.Namespace) -> int:
    table = doctor.arrow()
    marks = {"ok": " ", "note": "-", "problem": "!"}
    width = max(len(item) for item in table["item"].to_pylist())
    for row in table.to_pylist():
        print(f"{marks[row['status']]} {row['item']:<{width}}  {row['value']}")
        if row["advice"]:
            print(textwrap.indent(textwrap.fill(row["advice"], 100), " " * (width + 4)))
    return WRONG if "problem" in table["status"].to_pylist() else DONE


if __name__ == "__main__":
    sys.exit(main())
