"""Copies hold nothing but pixels and their colours, show the same, and are never written over what was read."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn import (
    after_soi,
    animation,
    cat,
    chunk,
    colour_profile,
    encoded,
    jpeg_markers,
    png,
    ramp,
    riff,
    rotated_by_exif,
    segment,
)
from oddities import write_odd_files, write_unspeakable_files
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

import imagesasdata as iad
from imagesasdata.cli import main
from imagesasdata.decode import Limits
from imagesasdata.errors import ArgumentInvalid, ColumnExists, Interrupted
from imagesasdata.metadata import CUT, kinds_of
from imagesasdata.reading import Unreadable
from imagesasdata.strip import Settings, strip

SECRET = b"Jane Roe, 12 Elm Street"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf creator="' + SECRET + b'"/></x:xmpmeta>'
SMALL = cat().resize((120, 80))
SETTINGS = Settings(95, "keep", Limits())


def exif(orientation: int = 1, thumbnail: bool = False) -> bytes:
    """EXIF with an owner, a place and, where wanted, a thumbnail."""
    tags = Image.Exif()
    tags[0x0112], tags[0x013B], tags[0x010F] = orientation, SECRET.decode(), "Camera"
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    if not thumbnail:
        return tags.tobytes()
    # The second directory has to be written by hand: where the thumbnail begins, and how long it is.
    small = encoded(SMALL.resize((16, 12)), "JPEG")
    body = bytearray(tags.tobytes()[6:])
    order = "<" if body[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", body, 4)
    (count,) = struct.unpack_from(order + "H", body, first)
    struct.pack_into(order + "I", body, first + 2 + 12 * count, len(body))
    rows = ((0x0201, 4, 1, len(body) + 30), (0x0202, 4, 1, len(small)))
    second = struct.pack(order + "H", 2) + b"".join(struct.pack(order + "HHII", *row) for row in rows)
    return b"Exif\0\0" + bytes(body) + second + bytes(4) + small


def jpeg_with_everything() -> bytes:
    plain = encoded(SMALL, "JPEG", icc_profile=colour_profile(), quality=90)
    more = (
        segment(0xE1, exif(thumbnail=True)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        segment(0xED, b"Photoshop 3.0\08BIM\x04\x04\0\0" + struct.pack(">I", len(SECRET)) + SECRET),
        segment(0xFE, SECRET),
        segment(0xE5, SECRET),
        segment(0xE0, b"JFXX\0\x10" + SECRET),
    )
    return after_soi(plain, *more) + SECRET


def png_with_everything() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    plain = encoded(SMALL, "PNG", pnginfo=info, exif=exif(), icc_profile=colour_profile())
    more = chunk(b"zTXt", b"Note\0\0" + zlib.compress(SECRET)) + chunk(b"priV", SECRET)
    return plain[:33] + more + plain[33:] + SECRET


def webp_with_everything() -> bytes:
    plain = encoded(SMALL, "WEBP", exif=exif(), xmp=XMP, icc_profile=colour_profile())
    body = plain[8:] + riff(b"priv", SECRET)
    return b"RIFF" + struct.pack("<I", len(body)) + body + SECRET


def gif_with_everything() -> bytes:
    plain = encoded(SMALL.quantize(64), "GIF", comment=SECRET)
    extension = b"\x21\xff\x0bXMP DataXMP" + bytes([len(SECRET)]) + SECRET + b"\0"
    place = plain.index(b"\x21\xfe")
    return plain[:place] + extension + plain[place:] + SECRET


def tiff_with_everything() -> bytes:
    tags = {270: SECRET.decode(), 315: SECRET.decode(), 700: XMP, 33723: SECRET}
    return encoded(SMALL, "TIFF", tiffinfo=tags, exif=None, icc_profile=colour_profile())


FULL = {
    "a.jpg": (jpeg_with_everything, "EXIF, GPS, XMP, IPTC, comment, thumbnail, pictures behind, other"),
    "a.png": (png_with_everything, "EXIF, GPS, XMP, comment, pictures behind, other"),
    "a.webp": (webp_with_everything, "EXIF, GPS, XMP, pictures behind, other"),
    "a.gif": (gif_with_everything, "XMP, comment, pictures behind"),
    "a.tif": (tiff_with_everything, "EXIF, XMP, IPTC, comment"),
}


def stripped(images: Any, out: Path, **options: Any) -> pd.DataFrame:
    return iad.strip_metadata(images, out, progress=False, **options)


def pixels(content: bytes | Path) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content) as image:
        return np.asarray(image.convert("RGBA"))


@pytest.mark.parametrize("name", list(FULL))
def test_nothing_is_left_but_the_pixels_and_their_profile(name: str, tmp_path: Path) -> None:
    make, removed = FULL[name]
    content = make()
    assert SECRET in content
    (tmp_path / name).write_bytes(content)
    row = stripped([tmp_path / name], tmp_path / "out").iloc[0]
    assert (row["removed"], bool(row["recompressed"]), bool(pd.isna(row["error"]))) == (removed, False, True)
    copy = Path(row["written"])
    assert copy == tmp_path / "out" / name
    new = copy.read_bytes()
    assert SECRET not in new
    assert b"Camera" not in new
    assert np.array_equal(pixels(new), pixels(content))
    with Image.open(copy) as image, Image.open(io.BytesIO(content)) as before:
        assert image.format == before.format
        assert not image.getexif().get_ifd(0x8825)
        assert not set(image.getexif()) & {0x010F, 0x0112, 0x013B, 0x010E}
        assert not {"exif", "xmp", "comment", "photoshop", "XML:com.adobe.xmp", "Author"} & set(image.info)
        assert image.info.get("icc_profile") == before.info.get("icc_profile")
    if name != "a.tif":
        kept = [kind for kind in kinds_of(CUT[str(image.format)](new)) if kind != "ICC"]
        assert kept == []
    assert (tmp_path / name).read_bytes() == content


def test_a_jpeg_keeps_its_compressed_pixels_byte_for_byte(tmp_path: Path) -> None:
    content = jpeg_with_everything()
    new = strip(content, SETTINGS).content
    scan = content[jpeg_markers(content)[-1][1] : -len(SECRET)]
    assert new.endswith(scan)
    for progressive in (encoded(SMALL, "JPEG", progressive=True, comment=SECRET), encoded(SMALL, "JPEG", comment="x")):
        assert np.array_equal(pixels(strip(progressive, SETTINGS).content), pixels(progressive))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_exif_turned_is_upright_without_it(orientation: int, tmp_path: Path) -> None:
    content = rotated_by_exif(SMALL, orientation)
    (tmp_path / "a.jpg").write_bytes(content)
    with Image.open(io.BytesIO(content)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image), float)
    row = stripped([tmp_path / "a.jpg"], tmp_path / "out").iloc[0]
    assert bool(row["recompressed"]) == (orientation != 1)
    new = pixels(Path(row["written"]))[..., :3]
    assert new.shape == upright.shape == (80, 120, 3)
    assert np.abs(new - upright).mean() < 3
    lossless = stripped([tmp_path / "a.jpg"], tmp_path / "lossless", quality="lossless").iloc[0]
    assert Path(lossless["written"]).name == ("a.jpg" if orientation == 1 else "a.jpg.png")
    assert np.array_equal(pixels(Path(lossless["written"]))[..., :3], upright)
    assert not lossless["recompressed"]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_other_formats_are_turned_without_loss(kind: str) -> None:
    content = encoded(SMALL, kind, exif=exif(orientation=6), **({"lossless": True} if kind == "WEBP" else {}))
    done = strip(content, SETTINGS)
    assert not done.recompressed
    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(pixels(done.content), np.asarray(ImageOps.exif_transpose(image).convert("RGBA")))
    assert SECRET not in done.content


def test_a_lower_quality_is_a_smaller_file_and_only_where_pixels_are_compressed_anew() -> None:
    turned, level = rotated_by_exif(SMALL, 6), rotated_by_exif(SMALL, 1)
    sizes = [len(strip(turned, Settings(quality, "keep", Limits())).content) for quality in (30, 75, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.6 * sizes[2]
    assert strip(level, Settings(30, "keep", Limits())).content == strip(level, SETTINGS).content


def test_a_profile_is_kept_or_its_colours_become_srgb() -> None:
    # A profile in which red and green have changed places: what its pixels call red is green.
    profile = colour_profile().replace(b"rXYZ", b"xxxx").replace(b"gXYZ", b"rXYZ").replace(b"xxxx", b"gXYZ")
    red = Image.new("RGB", (32, 32), (255, 0, 0))
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        content = encoded(red, kind, icc_profile=profile, **({"lossless": True} if kind == "WEBP" else {}))
        kept, converted = strip(content, SETTINGS), strip(content, Settings(95, "convert", Limits()))
        assert "ICC" not in kept.removed
        assert "ICC" in converted.removed
        with Image.open(io.BytesIO(kept.content)) as image:
            assert image.info["icc_profile"] == profile
            assert image.convert("RGB").getpixel((16, 16))[0] > 250
        with Image.open(io.BytesIO(converted.content)) as image:
            assert "icc_profile" not in image.info
            shown, truly = image.convert("RGB").getpixel((16, 16)), in_srgb(red, profile)
        assert np.abs(np.subtract(shown, truly)).max() <= 4, kind
        assert truly[1] > 250  # green


def test_transparency_and_deep_greys_outlive_the_conversion_of_colours() -> None:
    clear = SMALL.quantize(16)
    content = encoded(clear, "PNG", icc_profile=colour_profile(), transparency=3)
    done = strip(content, Settings(95, "convert", Limits()))
    assert np.abs(pixels(done.content).astype(int) - pixels(content)).max() <= 2
    grey = encoded(ramp(np.uint16, 65535), "PNG", icc_profile=colour_profile())
    with Image.open(io.BytesIO(strip(grey, Settings(95, "convert", Limits())).content)) as image:
        assert np.array_equal(np.asarray(image), np.asarray(ramp(np.uint16, 65535)))


def in_srgb(image: Image.Image, profile: bytes) -> Any:
    read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    changed = ImageCms.profileToProfile(image, read, ImageCms.createProfile("sRGB"))
    assert changed is not None
    return changed.getpixel((16, 16))


def test_animations_and_pages_stay_whole() -> None:
    page = SMALL.resize((40, 30))
    turned = [np.asarray(page.transpose(Image.Transpose.ROTATE_270))] * 3
    many = encoded(page, "TIFF", save_all=True, append_images=[page, page], tiffinfo={274: 6, 270: SECRET.decode()})
    for content, frames in ((animation("GIF"), 2), (animation("WEBP"), 2), (many, 3)):
        new = strip(content, SETTINGS).content
        with Image.open(io.BytesIO(new)) as image:
            assert image.n_frames == frames
    with Image.open(io.BytesIO(new)) as image:
        for number, expected in enumerate(turned):
            image.seek(number)
            assert np.array_equal(np.asarray(image), expected)
    assert SECRET not in new
    with pytest.raises(Unreadable, match="frames or more"):
        strip(many, Settings(95, "keep", Limits(max_pixels=40 * 30 * 2)))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_every_file_of_the_corpus_has_its_row_and_a_second_pass_finds_nothing(tmp_path: Path) -> None:
    told = write_odd_files(tmp_path / "odd")
    table = stripped([str(tmp_path / "odd" / name) for name in told], tmp_path / "once")
    assert dict(zip(told, table["error"].fillna(""), strict=True)) == told
    assert table["written"].isna().tolist() == [bool(error) for error in told.values()]
    assert not list((tmp_path / "once").glob(".*"))
    again = stripped(tmp_path / "once", tmp_path / "twice")
    assert again["error"].isna().all()
    assert set(again["removed"]) == {""}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_damaged_file_is_an_error_or_a_clean_copy_and_nothing_else() -> None:
    rng = random.Random(1)
    for name, (make, _) in FULL.items():
        whole = make()
        for _ in range(60):
            content = bytearray(whole)
            for _ in range(rng.choice((1, 3, 10))):
                content[rng.randrange(len(content))] = rng.randrange(256)
            if rng.random() < 0.3:
                del content[rng.randrange(len(content)) :]
            try:
                new = strip(bytes(content), SETTINGS).content
            except Unreadable:
                continue
            assert pixels(new).size, name


def test_a_file_of_countless_parts_is_an_error() -> None:
    with pytest.raises(Unreadable, match="damaged PNG: it has more than 200,000 parts"):
        strip(png(4, 4, bytes(20), before=chunk(b"priV", b"") * 200_001), SETTINGS)
    with pytest.raises(Unreadable, match="more than 200,000 parts"):
        strip(after_soi(encoded(SMALL, "JPEG"), segment(0xFE, b"") * 200_001), SETTINGS)


def test_photographs_of_a_folder_keep_their_places(photographs: Path, tmp_path: Path) -> None:
    for place in ("x/one", "x/two"):
        (tmp_path / "in" / place).mkdir(parents=True)
        for source in sorted(photographs.iterdir())[:2]:
            (tmp_path / "in" / place / source.name).write_bytes(source.read_bytes())
    told: list[int] = []
    table = iad.strip_metadata(tmp_path / "in", tmp_path / "out", progress=lambda done, *_: told.append(done))
    assert told == [0, 1, 2, 3, 4]
    names = sorted(path.relative_to(tmp_path / "in") for path in (tmp_path / "in").rglob("*.*"))
    assert [Path(path).relative_to(tmp_path / "out") for path in table["written"]] == names
    assert table.attrs["imagesasdata"]["verb"] == "strip_metadata"
    paths = [str(tmp_path / "in" / "x" / "two" / names[0].name), str(tmp_path / "in" / "x" / "one" / names[0].name)]
    listed = stripped([*paths, paths[0]], tmp_path / "listed")
    assert [Path(path).relative_to(tmp_path / "listed").parts[0] for path in listed["written"]] == ["two", "one", "two"]


def test_a_model_says_the_same_of_the_copies(photographs: Path, tmp_path: Path) -> None:
    table = stripped(photographs, tmp_path / "out")
    before = iad.classify_images(photographs, progress=False, cache=False)
    after = iad.classify_images(table["written"].tolist(), progress=False, cache=False)
    assert before["label"].tolist() == after["label"].tolist()
    assert before["prob"].tolist() == after["prob"].tolist()


def test_a_data_frame_comes_back_with_what_was_done(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg_with_everything())
    posts = pd.DataFrame({"post": [1, 2, 3], "photo": ["a.jpg", None, "gone.jpg"]}, index=[7, 8, 9])
    table = stripped(posts, tmp_path / "out", image_col="photo", image_dir=tmp_path)
    assert table.columns.tolist() == ["post", "photo", "written", "removed", "recompressed", "error"]
    assert table.index.tolist() == [7, 8, 9]
    assert table["error"].isna().tolist() == [True, False, False]
    assert table["error"].tolist()[1:] == ["no path was given", "file does not exist"]
    with pytest.raises(ColumnExists):
        stripped(table, tmp_path / "again", image_col="photo", image_dir=tmp_path)


def test_originals_are_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg_with_everything())
    (tmp_path / "link").symlink_to(folder)
    for images, out in ((folder, folder), ([folder / "a.jpg"], folder), (folder, tmp_path / "link")):
        with pytest.raises(ArgumentInvalid, match="over itself"):
            stripped(images, Path(out), overwrite=True)
    with pytest.raises(ArgumentInvalid, match="inside the folder"):
        stripped(folder, folder / "clean")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").symlink_to(folder / "a.jpg")
    with pytest.raises(ArgumentInvalid, match="over itself"):
        stripped(folder, tmp_path / "out", overwrite=True)
    assert (folder / "a.jpg").read_bytes() == jpeg_with_everything()


def test_files_that_are_there_stay_unless_they_may_go(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg_with_everything())
    (tmp_path / "out").mkdir()
    (tmp_path / "kept.txt").write_text("kept")
    (tmp_path / "out" / "a.jpg").symlink_to(tmp_path / "kept.txt")
    with pytest.raises(ArgumentInvalid, match="already"):
        stripped(tmp_path / "photos", tmp_path / "out")
    assert stripped(tmp_path / "photos", tmp_path / "out", overwrite=True)["error"].isna().all()
    assert (tmp_path / "kept.txt").read_text() == "kept"  # the link was replaced, not what it led to
    assert not (tmp_path / "out" / "a.jpg").is_symlink()
    with pytest.raises(ArgumentInvalid, match="is a file"):
        stripped(tmp_path / "photos", tmp_path / "kept.txt")
    with pytest.raises(ArgumentInvalid, match="give a folder"):
        iad.strip_metadata(tmp_path / "photos", "", progress=False)


def test_a_suffix_leads_to_no_file_that_is_there_or_is_read(tmp_path: Path) -> None:
    """A JPEG that is turned becomes a PNG where nothing may be lost, with another name than the one it has."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out" / "in").mkdir(parents=True)
    (tmp_path / "in" / "b.jpg").write_bytes(rotated_by_exif(SMALL, 6))
    kept = tmp_path / "out" / "in" / "b.jpg.png"
    kept.write_bytes(encoded(SMALL, "PNG"))
    both = stripped([tmp_path / "in" / "b.jpg", kept], tmp_path / "out", quality="lossless", overwrite=True)
    assert "which is another photograph" in both["error"][0] and both["written"].isna()[0]
    assert kept.read_bytes() == encoded(SMALL, "PNG")
    alone = stripped([tmp_path / "in" / "b.jpg"], tmp_path / "out" / "in", quality="lossless")
    assert "a file of that name is in the way" in alone["error"][0]
    assert kept.read_bytes() == encoded(SMALL, "PNG")
    twice = [tmp_path / "in" / "b.jpg"] * 2
    replaced = stripped(twice, tmp_path / "out" / "in", quality="lossless", overwrite=True)
    assert set(replaced["written"]) == {str(kept)} and kept.read_bytes() != encoded(SMALL, "PNG")
    new = stripped(twice, tmp_path / "new", quality="lossless")
    assert new["error"].isna().all() and len(set(new["written"])) == 1


def test_no_two_photographs_have_one_copy(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.jpg").write_bytes(rotated_by_exif(SMALL, 6))
    (tmp_path / "in" / "b.jpg.png").write_bytes(encoded(SMALL, "PNG"))
    for overwrite in (False, True):
        table = stripped(tmp_path / "in", tmp_path / "out", quality="lossless", overwrite=overwrite)
        assert table["error"].isna().tolist() == [False, True]
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.jpg.png"]
        assert np.array_equal(pixels(tmp_path / "out" / "b.jpg.png"), pixels(tmp_path / "in" / "b.jpg.png"))
    assert stripped(tmp_path / "in", tmp_path / "with loss")["error"].isna().all()


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    inner = tmp_path / "photos" / "inner"
    inner.mkdir(parents=True)
    for name in ("photos/a.jpg", "photos/inner/b.jpg"):
        (tmp_path / name).write_bytes(encoded(SMALL, "JPEG"))
    given = pd.DataFrame({"photo": ["../a.jpg", "b.jpg", "../../photos/inner/../a.jpg"]})
    table = stripped(given, tmp_path / "deep" / "out", image_col="photo", image_dir=inner)
    inside = tmp_path / "deep" / "out"
    assert [Path(path).relative_to(inside).as_posix() for path in table["written"]] == ["a.jpg", "inner/b.jpg", "a.jpg"]
    (tmp_path / "other").mkdir()
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "inner").symlink_to(tmp_path / "other")
    errors = stripped(tmp_path / "photos", tmp_path / "trap")["error"]
    assert errors.isna().tolist() == [True, False]
    assert "leads out of the folder" in errors[1]
    assert not list((tmp_path / "other").iterdir())


def test_names_that_no_text_can_hold_are_written_under_the_same_bytes(tmp_path: Path) -> None:
    written = write_unspeakable_files(tmp_path / "photographs")
    table = stripped(tmp_path / "photographs", tmp_path / "out")
    assert table["error"].isna().all()
    assert sorted(os.listdir(os.fsencode(tmp_path / "out"))) == sorted(written)


def test_an_interrupt_keeps_what_is_done(photographs: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int, text: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="3 rows of") as stopped:
        iad.strip_metadata(photographs, tmp_path / "out", progress=stop)
    assert stopped.value.partial["written"].notna().tolist() == [True] * 3
    assert not list((tmp_path / "out").glob(".*"))


def test_arguments_that_make_no_sense_are_errors(tmp_path: Path) -> None:
    for quality in (0, 101, "best", True, 95.5):
        with pytest.raises(ArgumentInvalid, match="quality"):
            stripped([tmp_path / "a.jpg"], tmp_path / "out", quality=quality)
    with pytest.raises(ArgumentInvalid, match="profile"):
        stripped([tmp_path / "a.jpg"], tmp_path / "out", profile="drop")


def test_the_shell_writes_copies_and_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg_with_everything())
    (tmp_path / "photos" / "b.jpg").write_bytes(b"no photograph")
    log = tmp_path / "log.csv"
    assert main(["strip", str(tmp_path / "photos"), "--out", str(tmp_path / "out"), "--log", str(log)]) == 2
    table = pd.read_csv(log)
    assert table["removed"].iloc[0] == FULL["a.jpg"][1]
    assert table["error"].iloc[1] == "not an image: starts with 'no'"
    assert "1 written, 1 failed" in capsys.readouterr().err
    assert main(["strip", str(tmp_path / "photos"), "--out", str(tmp_path / "out")]) == 1
    assert "already" in capsys.readouterr().err
