"""The verbs of the command ``iad`` about the duties of research with photographs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from .cli_train import given_of, labels_options
from .decode import MAX_PIXELS
from .ethics import GUIDE
from .frames import MOST
from .reading import MAX_BYTES
from .strip import PROFILES
from .tablefiles import print_table, write_table

DONE, SOME_FAILED = 0, 2
Add = Callable[..., argparse.ArgumentParser]


def add_verbs(add: Add) -> None:
    """Add the verbs; `add` is ``add_parser`` of the command's subparsers."""
    strip = verb(add, "strip", "write copies of photographs without metadata: place, time, camera, names", _strip)
    strip.add_argument("images", nargs="+", help="a folder, images, or a table file with --image-col")
    strip.add_argument("--out", required=True, help="the folder to write to; originals are never changed")
    strip.add_argument("--image-col", help="the column with the paths, of a table file")
    strip.add_argument("--image-dir", help="the folder from which relative paths start")
    strip.add_argument("--quality", type=_quality, default=95, help='1 to 100, or "lossless" (default: %(default)s)')
    strip.add_argument("--profile", default="keep", choices=PROFILES, help="colour profiles (default: %(default)s)")
    strip.add_argument("--overwrite", action="store_true", help="replace files that are there")
    log_option(strip, "table of what was removed, by suffix; without it, CSV to standard output")
    strip.add_argument("--progress", action=argparse.BooleanOptionalAction, default=None, help="show a bar")
    strip.add_argument("--max-pixels", type=int, default=MAX_PIXELS, help="largest photograph (default: %(default)s)")
    strip.add_argument("--max-bytes", type=int, default=MAX_BYTES, help="largest file (default: %(default)s)")

    frames = verb(add, "frames", "write a frame of a video every so many seconds, as photographs", _frames)
    frames.add_argument(
        "images", metavar="videos", nargs="+", help="a folder, videos, or a table file with --image-col"
    )
    frames.add_argument("--out", required=True, help="the folder to write to; each video has a folder in it")
    frames.add_argument("--every", type=float, default=1.0, help="seconds (default: %(default)s)")
    frames.add_argument("--image-col", help="the column with the paths, of a table file")
    frames.add_argument("--image-dir", help="the folder from which relative paths start")
    frames.add_argument("--quality", type=int, default=95, help="of the JPEG compression (default: %(default)s)")
    frames.add_argument("--max-frames", type=int, default=MOST, help="of one video (default: %(default)s)")
    frames.add_argument("--max-pixels", type=int, default=MAX_PIXELS, help="largest frame (default: %(default)s)")
    log_option(frames, "table of the frames, by suffix; without it, CSV to standard output")
    frames.add_argument("--overwrite", dest="replace", action="store_true", help="replace a log that is there")
    frames.add_argument("--progress", action=argparse.BooleanOptionalAction, default=None, help="show a bar")

    sheet = verb(add, "datasheet", "write what is known of labelled photographs, with blanks for the rest", _datasheet)
    labels_options(sheet)
    sheet.add_argument("--title", help="what the data are called")
    sheet.add_argument(
        "--duplicates", action=argparse.BooleanOptionalAction, default=True, help="look for near-duplicates"
    )
    sheet.add_argument("--dates", action="store_true", help="say when the photographs were taken, by their EXIF")
    sheet.add_argument("--out", help="the file to write, such as datasheet.md; without it, standard output")
    sheet.add_argument("--device", default="auto", help="auto, cpu, cuda (default: %(default)s)")
    sheet.add_argument("--cache", action=argparse.BooleanOptionalAction, default=True, help="use cached embeddings")
    sheet.add_argument("--progress", action=argparse.BooleanOptionalAction, default=None, help="show a bar")
    sheet.add_argument("--overwrite", action="store_true", help="replace a file that is there")

    verb(add, "ethics", "the questions of law and ethics, and the verb that helps with each", _ethics)


def verb(add: Add, name: str, help: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser = add(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def log_option(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--log", help=help)
    parser.set_defaults(late=("log",))


def _quality(text: str) -> int | str:
    try:
        return text if text == "lossless" else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is neither "lossless" nor a whole number') from None


def _given(options: argparse.Namespace, *without: str) -> dict[str, Any]:
    given = {key: value for key, value in vars(options).items() if key not in ("run", *without)}
    given["images"] = given["images"][0] if len(given["images"]) == 1 else given["images"]
    if given["progress"] is None:
        given["progress"] = sys.stderr.isatty()
    return given


def _strip(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    return _logged(iad.strip_metadata.arrow(**_given(options, "log")), options.log)


def _frames(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    given = _given(options, "log")
    return _logged(iad.sample_frames.arrow(given.pop("images"), **given), options.log, "video_error")


def _datasheet(options: argparse.Namespace) -> int:
    import imagesasdata as iad

    text = iad.data_statement(**given_of(options), out=options.out)
    if options.out:
        print(f"{options.out}: written", file=sys.stderr)
    else:
        print(text, end="")
    return DONE


def _ethics(_: argparse.Namespace) -> int:
    print(GUIDE, end="")
    return DONE


def _logged(table: pa.Table, log: str | None, error: str = "error") -> int:
    """Write the table of what was done, and say how much of it failed."""
    if log:
        write_table(table, log)
    else:
        print_table(table)
    failed = table.num_rows - table[error].null_count
    where = f", log in {log}" if log else ""
    print(f"{table.num_rows - failed:,} written, {failed:,} failed{where}", file=sys.stderr)
    return SOME_FAILED if failed else DONE
