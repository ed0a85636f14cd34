"""Photographs out of videos: a frame every so many seconds, with its time."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
from PIL import Image

from .decode import MAX_PIXELS, Limits
from .errors import ArgumentInvalid, DependencyMissing
from .images import find_images
from .progress import Progress, Report
from .provenance import describe_call
from .reading import Unreadable, open_file, path_on_disk
from .tables import with_provenance
from .verb import Result, Stopped, Verb
from .written import Targets, encode_picture, find_targets, searched, shown, write_picture

if TYPE_CHECKING:
    import av

# What the first bytes say, and FFmpeg's name of the format. No other is tried: FFmpeg also reads lists of files and of
# addresses (HLS, concat), by which a video could have other files opened.
FORMATS = (
    (re.compile(rb"....(ftyp|moov|mdat|wide|free|skip)", re.S), "mov"),
    (re.compile(rb"\x1aE\xdf\xa3"), "matroska"),
    (re.compile(rb"RIFF....AVI ", re.S), "avi"),
    (re.compile(rb"\x00\x00\x01\xba"), "mpeg"),
    (re.compile(rb"\x47.{187}\x47", re.S), "mpegts"),
    (re.compile(rb"FLV\x01"), "flv"),
    (re.compile(rb"OggS"), "ogg"),
    (re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "asf"),
)
SUFFIXES = frozenset(".mp4 .m4v .mov .3gp .mkv .webm .avi .mpg .mpeg .ts .mts .m2ts .flv .ogv .wmv .asf".split())
MAX_BYTES = 2**40  # a video is not read into memory
FAR = 5.0  # seconds to the next frame that is wanted, beyond which a jump is tried
MOST = 10_000
TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
SCHEMA = pa.schema(
    [
        ("image", pa.string()),
        ("video", pa.string()),
        ("frame", pa.int32()),
        ("time", pa.float64()),
        ("video_error", pa.string()),
    ]
)


@Verb
def sample_frames(
    videos: Any,
    out: str | os.PathLike[str],
    every: float = 1.0,
    image_col: str | None = None,
    image_dir: str | os.PathLike[str] | None = None,
    quality: int = 95,
    max_frames: int = MOST,
    progress: Report = True,
    max_pixels: int = MAX_PIXELS,
) -> Result:
    """Write a frame of a video every so many seconds, as photographs for all other verbs.

    Parameters
    ----------
    videos : path, folder, list of paths, data frame or table file
        As `images` in `classify_images`; a folder is searched for videos.
    out : path
        A folder to write to: each video has a folder of its own in it, which must not be there yet.
    every : float
        Seconds, above 0.
    image_col, image_dir, progress
        As in `classify_images`; `image_col` is the column with the paths of the videos.
    quality : int
        Of the JPEG compression, 1 to 100.
    max_frames : int
        Frames that are written of one video.
    max_pixels : int
        The largest frame.

    Returns
    -------
    pandas.DataFrame
        One row a frame: ``image`` (path of the photograph), ``video``, ``frame`` (1, 2, ... in each video), ``time``
        (seconds from its beginning) and ``video_error``. The frames are the first at 0, `every`, 2 `every`, ... seconds
        or after, upright and with square pixels. A video that cannot be read, or is damaged further on, has a last row
        with the reason in ``video_error`` and no ``image``. ``classify_images(frames, image_col="image")`` takes the
        table as it is, and so do `detect_faces` and the others; ``video`` and ``time`` come along.

    Raises
    ------
    DependencyMissing
        PyAV is not installed: ``pip install 'imagesasdata[video]'``.
    ArgumentInvalid, ImagesNotFound, ImageColumnMissing

    Notes
    -----
    One frame is in memory at a time. Where the next frame is far off, the video is searched from the key frame before
    it, which gives the same frames. Frames of one video are alike: they are no independent evidence, so name the video
    in ``cluster=`` or ``groups=``.

    Examples
    --------
    >>> import imagesasdata as iad
    >>> frames = iad.sample_frames("speech.mp4", "frames/", every=5)  # doctest: +SKIP
    >>> iad.classify_images(frames, image_col="image")[["video", "time", "label"]]  # doctest: +SKIP
    """
    _library()
    if isinstance(every, bool) or not isinstance(every, int | float) or not 0 < every < float("inf"):
        raise ArgumentInvalid(f"`every` is {every!r}; it must be a number of seconds above 0.")
    for argument, value, most in (("quality", quality, 100), ("max_frames", max_frames, 2**31 - 1)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ArgumentInvalid(f"`{argument}` is {value!r}; it must be a whole number from 1 to {most:,}.")
    settings = _Settings(float(every), quality, max_frames, Limits(max_pixels).max_pixels)
    found = find_images(videos, image_col, image_dir, SUFFIXES)
    targets = find_targets(found.paths, out, searched(videos, image_dir), overwrite=None)
    rows: list[dict[str, Any]] = []
    try:
        with Progress(progress, len(found), "sample_frames", unit=" videos") as bar:
            for name, path, target in zip(found.names, found.paths, targets.names, strict=True):
                for row in _frames(path, target, targets, settings):
                    rows.append({"video": name, **row})
                bar.advance(1)
    except KeyboardInterrupt:
        raise Stopped(_result(rows, settings), len(found), "") from None
    return _result(rows, settings)


def _library() -> Any:
    try:
        import av
    except ImportError:
        raise DependencyMissing(
            "Reading videos needs the package PyAV, which is not installed: pip install 'imagesasdata[video]'."
        ) from None
    av.logging.set_level(None)  # what FFmpeg says of damaged videos is in the table
    return av


@dataclass(frozen=True)
class _Settings:
    every: float
    quality: int
    max_frames: int
    max_pixels: int


def _result(rows: list[dict[str, Any]], settings: _Settings) -> Result:
    provenance = {**describe_call("sample_frames"), "every": settings.every, "av": _library().__version__}
    return Result(with_provenance(pa.Table.from_pylist(rows, SCHEMA), provenance))


def _frames(path: str | None, name: str | None, targets: Targets, settings: _Settings) -> Iterator[dict[str, Any]]:
    """Yield the rows of a video."""
    number, repeated = 0, name is not None and os.path.exists(path_on_disk(os.path.join(targets.folder, name)))
    try:
        if path is None:
            raise Unreadable("no path was given")
        if name is None:
            raise Unreadable("the file name cannot be used")
        if repeated:
            raise Unreadable("the video is in the list twice, or its folder is there already")
        with open_file(path, MAX_BYTES) as (file, _), _opened(file) as container:
            for time, picture in _wanted(container, settings):
                if number == settings.max_frames:
                    raise Unreadable(f"more than {number:,} frames; raise max_frames, or take fewer by every=")
                content, _, _ = encode_picture([picture], "JPEG", settings.quality)
                number += 1
                written = write_picture(targets, os.path.join(name, f"{number:06d}.jpg"), content)
                yield {"image": shown(written), "frame": number, "time": time, "video_error": None}
        if not number:
            raise Unreadable("a video without a frame that can be read")
    except Unreadable as problem:
        text = str(problem).replace("not an image", "not a video")
        yield {"video_error": f"after {number:,} frame(s): {text}" if number else text}


@contextlib.contextmanager
def _opened(file: BinaryIO) -> Iterator[av.container.InputContainer]:
    library = _library()
    start = file.read(512)
    file.seek(0)
    kind = next((kind for pattern, kind in FORMATS if pattern.match(start)), None)
    if kind is None:
        raise Unreadable(f"not a video: starts with {start[:12].decode('latin-1')!r}")
    try:
        with library.open(file, format=kind, options={"protocol_whitelist": "none"}) as container:
            yield container
    except Unreadable:
        raise
    except library.FFmpegError as problem:
        raise Unreadable(f"damaged video: {problem.strerror or problem}") from None
    except MemoryError:
        raise Unreadable("not enough memory to decode the video") from None
    except (ValueError, IndexError, UnicodeError) as problem:  # what PyAV makes of headers that contradict each other
        raise Unreadable(f"damaged video: {problem}") from None


def _wanted(container: av.container.InputContainer, settings: _Settings) -> Iterator[tuple[float, Image.Image]]:
    """Yield the frames that are wanted, with their times."""
    if not container.streams.video:
        raise Unreadable("a file without a video")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise Unreadable("a video whose compression cannot be read")
    _check_size(stream.width, stream.height, settings)
    stream.codec_context.options = {"max_pixels": str(settings.max_pixels)}
    stream.codec_context.thread_type = "AUTO"
    start: float | None = None
    wanted, jumped, before, jumps = 0.0, 0.0, -1.0, True
    frames = container.decode(stream)
    while (frame := next(frames, None)) is not None:
        if frame.time is None:
            continue
        start = frame.time if start is None else start
        time = frame.time - start
        if before >= 0 and time <= before:
            jumps = False  # there is no key frame further on, so the jump cost more than it saved
        before = -1.0
        if time + 1e-6 >= wanted:
            _check_size(frame.width, frame.height, settings)
            yield time, _upright(frame, stream.sample_aspect_ratio, settings)
            wanted = settings.every * (int(time / settings.every + 1e-6) + 1)
        if jumps and wanted - time > FAR and wanted > jumped:
            jumped = wanted
            with contextlib.suppress(_library().FFmpegError):  # a video that cannot be searched is read through
                container.seek(int((wanted + start) / stream.time_base), stream=stream)
                frames, before = container.decode(stream), time


def _check_size(width: int, height: int, settings: _Settings) -> None:
    if width * height > settings.max_pixels:
        raise Unreadable(
            f"{width * height / 1e6:,.1f} megapixels, above the limit of {settings.max_pixels / 1e6:,.4g}; raise "
            "max_pixels"
        )


def _upright(frame: av.VideoFrame, aspect: Fraction | None, settings: _Settings) -> Image.Image:
    """Return a frame as a picture: with square pixels, and turned as the video says."""
    image: Image.Image = frame.to_image()
    if aspect and aspect != 1:
        wide = max(1, round(image.width * aspect))
        _check_size(wide, image.height, settings)
        image = image.resize((wide, image.height), Image.Resampling.BICUBIC)
    turn = TURNS.get(round(getattr(frame, "rotation", 0) or 0) % 360)
    return image if turn is None else image.transpose(turn)
