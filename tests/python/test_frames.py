"""Frames of videos are photographs with a time; no video opens another file, fills the memory or ends the run."""

from __future__ import annotations

import random
import resource
import struct
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from faces_drawn import astronaut, save_all
from networks import CARD, colours
from PIL import Image

import imagesasdata as iad
from imagesasdata.cli import main
from imagesasdata.errors import ArgumentInvalid, DependencyMissing, ImagesNotFound
from imagesasdata.modelfile import write_model

SIDE = (64, 48)


def film(path: Path, seconds: float = 6, rate: int = 10, codec: str = "mpeg4", key: int = 10, wide: int = 1) -> Path:
    """A film whose grey level is 20 a second, with a white corner at the left above; a key frame every `key` frames."""
    av = pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = SIDE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.sample_aspect_ratio = key, Fraction(wide)
        for number in range(round(seconds * rate)):
            pixels = np.full((SIDE[1], SIDE[0], 3), 20 * (number // rate) % 200, np.uint8)
            pixels[:16, :16] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def frames(videos: Any, out: Path, **options: Any) -> pd.DataFrame:
    return iad.sample_frames(videos, out, progress=False, **options)


def level(path: str) -> int:
    """How many seconds a frame's grey says, by the pixels of its middle."""
    with Image.open(path) as image:
        return round(float(np.asarray(image.convert("L"))[20:28, 28:36].mean()) / 20)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.mpg", "a.ts"])
def test_a_frame_every_so_many_seconds_with_its_time(name: str, tmp_path: Path) -> None:
    codec = "mpeg2video" if name.endswith(("mpg", "ts")) else "mpeg4"
    table = frames(film(tmp_path / name, rate=25, codec=codec), tmp_path / "out", every=1.5)
    assert table.columns.tolist() == ["image", "video", "frame", "time", "video_error"]
    assert table["video_error"].isna().all()
    assert table["frame"].tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(table["time"], [0, 1.52, 3, 4.52], atol=0.021)
    assert [level(path) for path in table["image"]] == [0, 1, 3, 4]
    assert [Path(path) for path in table["image"]] == [tmp_path / "out" / name / f"{i:06d}.jpg" for i in (1, 2, 3, 4)]
    assert table["video"].unique().tolist() == [str(tmp_path / name)]


@pytest.mark.parametrize("key", [10, 5000])
def test_jumping_to_far_frames_gives_those_that_reading_through_gives(
    key: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path / "a.mp4", seconds=60, key=key)
    jumped = frames(path, tmp_path / "jumped", every=9)
    monkeypatch.setattr("imagesasdata.frames.FAR", float("inf"))
    through = frames(path, tmp_path / "through", every=9)
    assert jumped["time"].tolist() == through["time"].tolist() == [0, 9, 18, 27, 36, 45, 54]
    for a, b in zip(jumped["image"], through["image"], strict=True):
        assert Path(a).read_bytes() == Path(b).read_bytes()


def test_jumping_reads_few_frames_and_without_key_frames_is_given_up(tmp_path: Path, monkeypatch: Any) -> None:
    av = pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")
    from imagesasdata.frames import _Settings, _wanted

    class Counted:
        """A container that counts how many frames are decoded."""

        def __init__(self, container: Any) -> None:
            self.container, self.streams, self.decoded = container, container.streams, 0

        def seek(self, *args: Any, **options: Any) -> None:
            self.container.seek(*args, **options)

        def decode(self, stream: Any) -> Any:
            for frame in self.container.decode(stream):
                self.decoded += 1
                yield frame

    for key, most in ((10, 120), (5000, 700)):
        path = film(tmp_path / f"{key}.mp4", seconds=60, key=key)
        with path.open("rb") as file, av.open(file, format="mov") as container:
            counted = Counted(container)
            assert len(list(_wanted(counted, _Settings(9.0, 95, 100, 10**8)))) == 7
            assert counted.decoded <= most


def test_a_video_that_lies_on_its_side_is_set_upright(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", seconds=1)
    content = path.read_bytes()
    level_ = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    place = content.index(level_, content.index(b"tkhd"))
    turned = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)  # a quarter clockwise, as telephones write it
    path.write_bytes(content[:place] + turned + content[place + 36 :])
    row = frames(path, tmp_path / "out", every=1).iloc[0]
    with Image.open(row["image"]) as image:
        assert image.size == (48, 64)
        bright = np.asarray(image.convert("L")) > 200
    assert bright[:14, -14:].all()  # the corner that was left above is right above
    assert not bright[20:].any()


def test_pixels_that_are_not_square_become_square(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", seconds=1, wide=2)
    with Image.open(frames(path, tmp_path / "out")["image"][0]) as image:
        assert image.size == (128, 48)


def test_the_time_goes_on_to_the_table_of_labels(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", seconds=3)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    table = frames([tmp_path / "a.mp4", tmp_path / "b.mp4"], tmp_path / "out")
    assert table["video_error"].isna().tolist() == [True, True, True, False]
    write_model(colours(), CARD, tmp_path / "small.onnx")
    labelled = iad.classify_images(table, model=tmp_path / "small.onnx", image_col="image", progress=False)
    assert labelled["time"].tolist()[:3] == [0, 1, 2]
    assert labelled["label"].notna().tolist() == [True, True, True, False]
    assert labelled["error"].tolist()[3] == "no path was given"


def test_a_folder_is_searched_for_videos_and_each_has_a_folder(tmp_path: Path) -> None:
    for name in ("x/a.mp4", "y/a.MP4", "y/b.txt"):
        (tmp_path / "films" / name).parent.mkdir(parents=True, exist_ok=True)
        film(tmp_path / "a.mp4", seconds=1).rename(tmp_path / "films" / name)
    table = frames(tmp_path / "films", tmp_path / "out")
    assert [Path(path).relative_to(tmp_path / "out").as_posix() for path in table["image"]] == [
        "x/a.mp4/000001.jpg",
        "y/a.MP4/000001.jpg",
    ]
    with pytest.raises(ArgumentInvalid, match="already"):
        frames(tmp_path / "films", tmp_path / "out")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ImagesNotFound, match="no video"):
        frames(tmp_path / "nothing", tmp_path / "again")
    twice = frames([tmp_path / "films" / "x" / "a.mp4"] * 2, tmp_path / "twice")
    assert twice["video_error"].notna().tolist() == [False, True]


def test_what_is_no_video_is_a_row_with_the_reason(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    film(tmp_path / "good.mp4", seconds=1)
    files = {
        "empty.mp4": b"",
        "text.mp4": b"no video at all",
        "list.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path / 'good.mp4'}\n".encode(),
        "concat.mp4": f"ffconcat version 1.0\nfile '{tmp_path / 'good.mp4'}'\n".encode(),
        "half.mp4": (tmp_path / "good.mp4").read_bytes()[:200],
        "box.mp4": b"\0\0\0\x18ftypmp42" + bytes(2000),
        "matroska.mkv": b"\x1aE\xdf\xa3" + bytes(range(256)) * 8,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    given = [*(tmp_path / name for name in files), tmp_path / "gone.mp4", None, tmp_path]
    table = frames(pd.DataFrame({"v": given}), tmp_path / "out", image_col="v")
    assert len(table) == len(given)
    assert table["image"].isna().all()
    said = dict(zip([*files, "gone", "none", "folder"], table["video_error"], strict=True))
    assert said["empty.mp4"] == "empty file (0 bytes)"
    assert said["list.mp4"] == "not a video: starts with '#EXTM3U\\n#EXT'"
    assert said["concat.mp4"].startswith("not a video")
    assert said["gone"] == "file does not exist"
    assert said["none"] == "no path was given"
    assert said["folder"] == "a folder, not a video"
    assert all(said[name].startswith(("damaged video", "a file without", "a video")) for name in list(files)[4:])


def test_a_video_that_is_damaged_keeps_the_frames_before(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", seconds=8)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    table = frames(path, tmp_path / "out")
    kept = table["image"].dropna()
    assert 2 <= len(kept) < 8
    assert [level(image) for image in kept] == list(range(len(kept)))


def test_damaged_bytes_never_end_the_run(tmp_path: Path) -> None:
    rng = random.Random(1)
    for name in ("a.mp4", "a.avi", "a.mkv"):
        whole = film(tmp_path / name, seconds=2).read_bytes()
        paths = []
        for number in range(25):
            content = bytearray(whole)
            for _ in range(rng.choice((1, 5, 50))):
                content[rng.randrange(len(content))] = rng.randrange(256)
            paths.append(tmp_path / f"{number}_{name}")
            paths[-1].write_bytes(content)
        table = frames(paths, tmp_path / f"out_{name}")
        assert set(table["video"]) == set(map(str, paths))
        assert (table["image"].isna() == table["video_error"].notna()).all()


@pytest.mark.parametrize("kind", ["pandas", "arrow", "file"])
def test_long_tables_keep_the_video_and_the_time(kind: str, tmp_path: Path) -> None:
    photos = save_all([astronaut().crop((100, 0, 340, 240)), Image.new("RGB", (60, 60))], tmp_path / "photos")
    images = [photos[0], None, photos[1], photos[0]]
    table = pd.DataFrame({"image": images, "video": list("aabb"), "frame": [1, 2, 1, 2], "time": [0, 1.5, 0, 3]})
    table.to_csv(tmp_path / "frames.csv", index=False)
    given = {"pandas": table, "arrow": pa.Table.from_pandas(table), "file": tmp_path / "frames.csv"}[kind]
    options: dict[str, Any] = {"image_col": "image", "progress": False}
    found = iad.detect_faces(given, out=tmp_path / "faces.parquet", **options)
    assert list(found)[:4] == ["image", "video", "time", "face"]
    assert list(pd.read_parquet(tmp_path / "faces.parquet"))[:3] == ["image", "video", "time"]
    tags = iad.tag_images(given, top=2, **options)
    log = iad.blur_faces(given, tmp_path / "copies", **options)
    for long in (found, tags, log, iad.cluster_faces(given, purpose="A test.", **options)):
        pairs = long[["image", "video", "time"]].drop_duplicates()
        assert pairs["video"].tolist() == list("aabb") and pairs["time"].tolist() == [0, 1.5, 0, 3]
        assert [None if pd.isna(name) else name for name in pairs["image"]] == images
    assert list(iad.detect_faces(table.drop(columns="video"), **options))[:2] == ["image", "face"]


def test_limits_are_told_and_the_memory_is_that_of_a_frame(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", seconds=5)
    row = frames(path, tmp_path / "small", max_pixels=1000).iloc[-1]
    assert row["video_error"] == "0.0 megapixels, above the limit of 0.001; raise max_pixels"
    few = frames(path, tmp_path / "few", max_frames=2)
    assert few["image"].notna().tolist() == [True, True, False]
    assert "raise max_frames" in few["video_error"].iloc[2]
    long = film(tmp_path / "long.mp4", seconds=300)
    frames(path, tmp_path / "before")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = frames(long, tmp_path / "long", every=0.5)
    assert len(table) == 600
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 30e6  # its 3,000 frames are 28 MB as pixels, and more as FFmpeg keeps them


def test_arguments_that_make_no_sense_are_errors(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV, the extra `video`, is not installed")
    for options in ({"every": 0}, {"every": -1}, {"every": float("nan")}, {"quality": 0}, {"max_frames": 0}):
        with pytest.raises(ArgumentInvalid):
            frames([tmp_path / "a.mp4"], tmp_path / "out", **options)


def test_without_the_library_the_error_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DependencyMissing, match=r"pip install 'imagesasdata\[video\]'"):
        frames([tmp_path / "a.mp4"], tmp_path / "out")


def test_the_shell_writes_frames_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film(tmp_path / "a.mp4", seconds=4)
    log = tmp_path / "frames.csv"
    options = ["--out", str(tmp_path / "out"), "--every", "2", "--log", str(log)]
    assert main(["frames", str(tmp_path / "a.mp4"), *options]) == 0
    assert pd.read_csv(log)["time"].tolist() == [0, 2]
    assert "2 written, 0 failed" in capsys.readouterr().err
