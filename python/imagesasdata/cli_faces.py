"""The verbs of the command ``iad`` about faces."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from .cli_duties import log_option
from .decode import MAX_PIXELS
from .errors import ImagesAsDataWarning
from .reading import MAX_BYTES
from .tablefiles import TABLE_SUFFIXES, print_table, write_table
from .tables import provenance_of

DONE, SOME_FAILED = 0, 2
Add = Callable[..., argparse.ArgumentParser]
RUN = ("min_size", "image_col", "image_dir", "device", "max_pixels", "max_bytes")


def add_verbs(add: Add) -> None:
    """Add the verbs; `add` is ``add_parser`` of the command's subparsers."""
    faces = _image_verb(add, "faces", "find faces: one row a face", "detect_faces", resumes=True)
    faces.add_argument("--threshold", type=float, default=0.8, help="least probability (default: %(default)s)")

    people = _image_verb(add, "recognize", "say which of known people each face is", "recognize_faces", resumes=True)
    people.add_argument("--people", required=True, help="a folder with a folder a person, or what iad enroll wrote")
    people.add_argument(
        "--threshold", type=_number_or_auto, default="auto", help="largest distance (default: from the references)"
    )
    people.add_argument(
        "--false-match-rate", type=float, default=0.01, help="share of strangers accepted (default: %(default)s)"
    )
    people.add_argument("--method", default="nearest", choices=("nearest", "classifier"), help="(default: %(default)s)")
    people.add_argument("--person-col", default="person", help="column with the name, of a table (default: person)")
    _recognition(people)

    enroll = _verb(add, "enroll", "describe the faces of known people, once", "enroll_people")
    enroll.add_argument("people", help="a folder with a folder a person, or a table file")
    enroll.add_argument("--out", help="table to write; .parquet keeps everything")
    enroll.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    enroll.add_argument("--person-col", default="person", help="column with the name (default: %(default)s)")
    _where(enroll)
    _recognition(enroll)

    verify = _verb(add, "verify", "say whether two photographs show the same person", "verify_faces")
    verify.add_argument("a", help="a photograph")
    verify.add_argument("b", help="another one")
    verify.add_argument("--threshold", type=float, default=0.55, help="largest distance (default: %(default)s)")
    _recognition(verify)

    groups = _image_verb(add, "cluster-faces", "group faces by who they may be", "cluster_faces")
    groups.add_argument("--threshold", type=float, default=0.55, help="mean distance in a group (default: %(default)s)")
    _recognition(groups)

    shown = _image_verb(add, "expressions", "score what faces show", "score_expressions", resumes=True)
    shown.add_argument("--by", choices=("face", "image"), default="face", help="one row each (default: %(default)s)")
    _min_prob(shown)

    blur = _image_verb(add, "blur", "write copies with faces hidden and metadata gone", "blur_faces", min_size=15)
    blur.add_argument("--people", nargs="+", help='whose faces: "unknown" or names of --known (default: everybody)')
    blur.add_argument("--known", help="a folder with a folder a person, or what iad enroll wrote")
    blur.add_argument("--method", choices=("blur", "pixelate", "box"), default="blur", help="default: %(default)s")
    blur.add_argument("--margin", type=float, default=0.3, help="in sides of the face (default: %(default)s)")
    blur.add_argument("--threshold", type=float, default=0.4, help="least probability (default: %(default)s)")
    blur.add_argument("--quality", type=_quality, default=95, help='of JPEG, or "lossless" (default: %(default)s)')
    blur.add_argument("--match-threshold", type=_number_or_auto, default="auto", help="as --threshold of recognize")
    blur.add_argument("--purpose", help="with --known: what people are recognised for")
    log_option(blur, "table to write what was hidden to; without it, CSV to standard output")


def _verb(add: Add, name: str, help: str, verb: str) -> argparse.ArgumentParser:
    parser = add(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.set_defaults(run=_run, verb=verb)
    return parser


def _image_verb(
    add: Add, name: str, help: str, verb: str, resumes: bool = False, min_size: float = 20
) -> argparse.ArgumentParser:
    parser = _verb(add, name, help, verb)
    parser.add_argument("images", nargs="+", help="a folder, images, a pattern, or a table file with --image-col")
    suffixes = ", ".join(sorted(TABLE_SUFFIXES))
    what = "folder of the copies" if verb == "blur_faces" else f"table to write, by suffix ({suffixes})"
    parser.add_argument("--out", required=verb == "blur_faces", help=what)
    if verb == "cluster_faces":
        parser.add_argument("--overwrite", dest="replace", action="store_true", help="replace a file that is there")
        parser.set_defaults(late=("out",))
    else:
        parser.add_argument("--overwrite", action="store_true", help="replace what is there")
        parser.add_argument("--on-error", choices=("record", "stop"), default="record", help="what a broken image does")
    if resumes:
        parser.add_argument("--retry-failed", action="store_true", help="try again what failed in an earlier run")
    _where(parser, min_size)
    return parser


def _where(parser: argparse.ArgumentParser, min_size: float = 20) -> None:
    parser.add_argument("--image-col", help="the column with the paths, of a table file")
    parser.add_argument("--image-dir", help="the folder from which relative paths start")
    parser.add_argument(
        "--min-size", type=float, default=min_size, help="side of the smallest face in pixels (default: %(default)s)"
    )
    parser.add_argument("--max-pixels", type=int, default=MAX_PIXELS, help="largest photograph (default: %(default)s)")
    parser.add_argument("--max-bytes", type=int, default=MAX_BYTES, help="largest file (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N (default: %(default)s)")
    parser.add_argument("--progress", action=argparse.BooleanOptionalAction, default=None, help="show a bar")


def _min_prob(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--min-prob", type=float, default=0.8, help="least probability of a face (default: %(default)s)"
    )


def _recognition(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--purpose", help="what people are recognised for, in a sentence; kept with the results")
    _min_prob(parser)


def _number_or_auto(text: str) -> float | str:
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is neither "auto" nor a number') from None


def _quality(text: str) -> int | str:
    try:
        return text if text == "lossless" else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is neither "lossless" nor a whole number') from None


def _run(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    warnings.simplefilter("always", ImagesAsDataWarning)
    given = {key: value for key, value in vars(options).items() if key not in ("run", "verb", "log")}
    if "images" in given:
        given["images"] = given["images"][0] if len(given["images"]) == 1 else given["images"]
    shown = given.pop("progress", None)
    given["progress"] = sys.stderr.isatty() if shown is None else shown
    target = getattr(options, "log", None) if options.verb == "blur_faces" else options.__dict__.get("out")
    if options.verb == "cluster_faces":
        given.pop("out")
    return _finish(getattr(iad, options.verb).arrow(**given), target, written=_writes_itself(options))


def _writes_itself(options: argparse.Namespace) -> bool:
    return options.verb not in ("blur_faces", "cluster_faces", "verify_faces")


def _finish(table: pa.Table, target: Any, written: bool) -> int:
    for note in provenance_of(table).get("notes", ()):
        print(f"iad: {note}", file=sys.stderr)
    if target and not written:
        write_table(table, target)
    elif not target:
        print_table(table)
    purpose = provenance_of(table).get("purpose")
    if purpose:  # a CSV cannot keep it
        print(f"purpose: {purpose}", file=sys.stderr)
    failed = len(table) - table["error"].null_count
    where = f", written to {target}" if target else ""
    print(f"{table.num_rows:,} rows, {failed:,} with an error{where}", file=sys.stderr)
    return SOME_FAILED if failed else DONE
