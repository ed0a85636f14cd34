"""Every image that can be read becomes the right pixels; everything else becomes one plain sentence."""

from __future__ import annotations

import errno
import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from drawn import animation, bomb, cat, encoded, exif_with, rotated_by_exif, see_through
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oddities import write_odd_files
from PIL import Image, ImageCms

from imagesasdata.decode import Limits, Preprocessing, decode_image, own_pixel_limit, upright_image
from imagesasdata.errors import ArgumentInvalid
from imagesasdata.reading import Unreadable, read_file

SMALL = Preprocessing(size=64, resize=72)
WHOLE = Preprocessing(size=64, resize=64, rule="stretch")
LIMITS = Limits()
UPRIGHT = encoded(cat(), "JPEG", quality=95)


def pixels(content: bytes, preprocessing: Preprocessing = SMALL, limits: Limits = LIMITS) -> NDArray[np.int64]:
    return decode_image(content, preprocessing, limits).astype(np.int64)


def far_from(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Mean distance of two images, in steps of 0 to 255."""
    return float(np.abs(a - b).mean())


def reason(content: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(Unreadable) as caught:
        decode_image(content, SMALL, limits)
    return str(caught.value)


def why_unread(path: Path | str, max_bytes: int = 1_000_000) -> str:
    with pytest.raises(Unreadable) as caught:
        read_file(str(path), max_bytes)
    return str(caught.value)


# -- the file ----------------------------------------------------------------------------------------------------------


def test_the_content_of_a_file_is_returned_whole(tmp_path: Path) -> None:
    (tmp_path / "抗议 1.jpg").write_bytes(b"\r\n\x1a\x00content")
    assert read_file(str(tmp_path / "抗议 1.jpg")) == b"\r\n\x1a\x00content"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_each_odd_file_is_read_or_says_why_not_as_promised(tmp_path: Path) -> None:
    told = write_odd_files(tmp_path)
    assert len(told) >= 150
    got = {}
    for name in told:
        try:
            decode_image(read_file(str(tmp_path / name)), SMALL, LIMITS)
            got[name] = ""
        except Unreadable as problem:
            got[name] = str(problem)
    assert got == told


def test_a_missing_file_does_not_exist(tmp_path: Path) -> None:
    assert why_unread(tmp_path / "gone.jpg") == "file does not exist"


@pytest.mark.skipif(os.sep != "/", reason="on Windows a backslash is a separator")
def test_a_path_from_windows_says_so_where_it_does_not_exist() -> None:
    assert why_unread("C:\\photos\\a.jpg") == (
        "file does not exist (its name has backslashes: was it written on Windows?)"
    )


def test_a_path_below_a_file_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert why_unread(tmp_path / "a.jpg" / "b.jpg").startswith("file does not exist")


@pytest.mark.parametrize("name", ["a\0b.jpg", "a\ud83d.jpg", "x" * 300 + ".jpg", "http://example.org/a.jpg"])
def test_a_name_that_no_file_can_have_is_a_sentence(name: str) -> None:
    assert why_unread(name) in {
        "the file name contains a null byte",
        "the file name cannot be used",
        "the file name is too long",
        "a web address, not a file: download it first",
    }


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)  # root, as whom tests may run, is refused nothing
    assert why_unread(tmp_path / "a.jpg") == "no permission to read the file"
    assert why_unread(tmp_path) == "a folder, not an image"  # so on Windows


def test_a_folder_leaves_no_open_file_behind(tmp_path: Path) -> None:
    for _ in range(2):
        assert why_unread(tmp_path) == "a folder, not an image"
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    why_unread(tmp_path)
    again = os.open(os.devnull, os.O_RDONLY)
    os.close(again)
    assert again == lowest


def test_a_file_above_the_limit_of_bytes_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(bytes(2_500_000))
    assert why_unread(tmp_path / "a.jpg", 1_000_000) == "2.5 MB, above the limit of 1 MB; raise max_bytes"
    assert len(read_file(str(tmp_path / "a.jpg"), 2_500_000)) == 2_500_000


# -- upright, and in the right colours ---------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_upright_photograph(orientation: int) -> None:
    # The blocks of a turned JPEG fall elsewhere in the photograph, so the two differ a little.
    turned = rotated_by_exif(cat(), orientation)
    assert far_from(pixels(turned), pixels(UPRIGHT)) < 2
    if orientation > 1:
        assert far_from(pixels(turned.replace(b"Exif", b"Exix")), pixels(UPRIGHT)) > 10


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP"])
def test_orientation_counts_in_other_formats_too(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(cat().transpose(Image.Transpose.ROTATE_90), kind, exif=exif)
    assert far_from(pixels(turned), pixels(encoded(cat(), kind))) < 3


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_other_broken_exif_tags_do_not_spoil_the_photograph() -> None:
    turned = cat().transpose(Image.Transpose.ROTATE_90)
    broken = exif_with((0x0112, 3, 1, b"\6\0\0\0"), (0x0100, 7, 4, b"wide"), (0x9286, 5, 1, b"ab\0\0"))
    assert far_from(pixels(encoded(turned, "JPEG", quality=95, exif=broken)), pixels(UPRIGHT)) < 2


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("value", [(2, 2, b"6\0\0\0"), (3, 1, b"\x09\0\0\0"), (3, 1, b"\0\0\0\0"), (12, 1, bytes(4))])
def test_an_orientation_that_means_nothing_is_ignored(value: tuple[int, int, bytes]) -> None:
    strange = encoded(cat(), "JPEG", quality=95, exif=exif_with((0x0112, *value)))
    assert far_from(pixels(strange), pixels(UPRIGHT)) == 0


def test_a_jpeg_decoded_at_reduced_scale_differs_little() -> None:
    folder = Path(sklearn.datasets.__file__).parent / "images"
    for name in ("china.jpg", "flower.jpg"):  # 640 x 427
        content = (folder / name).read_bytes()
        whole = pixels(content, Preprocessing(size=96, resize=100, jpeg_scaling=False))
        scaled = pixels(content, Preprocessing(size=96, resize=100, jpeg_scaling=True))
        assert 0 < far_from(whole, scaled) < 3


def test_a_reduced_jpeg_is_not_shifted() -> None:
    # 1803 x 1197 at 1/8 is 226 x 150 pixels, of which the last are only partly inside the photograph.
    content = encoded(cat().resize((1803, 1197)), "JPEG", quality=95)
    whole = pixels(content, Preprocessing(size=64, resize=64, jpeg_scaling=False))
    assert far_from(whole, pixels(content, Preprocessing(size=64, resize=64))) < 0.6


def test_scaling_never_goes_below_what_the_model_needs() -> None:
    large = encoded(cat().resize((1804, 1200)), "JPEG", quality=95)
    for rule in ("short_side_crop", "stretch", "pad"):
        for size in (140, 151, 301, 1200):  # 1200 / 8 = 150, 1200 / 4 = 300
            steps = {"size": size, "resize": size, "rule": rule}
            whole = pixels(large, Preprocessing(**steps, jpeg_scaling=False))
            scaled = pixels(large, Preprocessing(**steps, jpeg_scaling=True))
            assert far_from(whole, scaled) < 2


def test_cmyk_has_the_colours_of_the_rgb_original() -> None:
    content = encoded(cat().convert("CMYK"), "JPEG", quality=95)
    assert Image.open(io.BytesIO(content)).mode == "CMYK"
    original, converted = pixels(UPRIGHT).mean(axis=(0, 1)), pixels(content).mean(axis=(0, 1))
    np.testing.assert_allclose(converted, original, atol=2)


@pytest.mark.parametrize(
    "content",
    [
        encoded(see_through(cat()), "PNG"),
        encoded(see_through(cat()).convert("LA"), "PNG"),
        encoded(see_through(cat()).quantize(64), "PNG"),
        encoded(see_through(cat()), "WEBP", lossless=True),
        encoded(see_through(cat()), "TIFF"),
        encoded(see_through(cat()), "GIF"),
        encoded(see_through(cat()).convert("RGB"), "PNG", transparency=(0, 0, 0)),
        encoded(see_through(cat()).convert("L"), "PNG", transparency=0),
    ],
    ids=["RGBA", "LA", "palette", "WebP", "TIFF", "GIF", "a colour of RGB", "a grey"],
)
@pytest.mark.parametrize("colour", ["RGB", "grey"])
def test_transparent_pixels_become_white(content: bytes, colour: str) -> None:
    steps = Preprocessing(size=64, resize=64, colour=colour, filter="box", mean=(0.0,) * 3, std=(1.0,) * 3)
    seen = pixels(content, steps)
    assert seen[:, :28].min() >= 250
    assert 80 < seen[:, 36:].mean() < 160


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    half = encoded(Image.new("RGBA", (20, 20), (200, 0, 0, 128)), "PNG")
    np.testing.assert_allclose(pixels(half).mean(axis=(0, 1)), [227, 127, 127], atol=1)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256 * 64).reshape(64, 256).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        seen = pixels(encoded(Image.fromarray(ramp), kind), WHOLE)
        assert seen[0, 0, 0] <= 3
        assert seen[-1, -1, 0] >= 252
        assert seen.mean() == pytest.approx(127.5, abs=1)


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floating_point_pixels_are_scaled_by_their_range(top: float) -> None:
    ramp = np.linspace(0, top, 64 * 64, dtype=np.float32).reshape(64, 64)
    ramp[0, 0] = np.nan
    assert pixels(encoded(Image.fromarray(ramp), "TIFF"), WHOLE).mean() == pytest.approx(127.5, abs=1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation_counts(kind: str) -> None:
    assert far_from(pixels(animation(kind)), pixels(UPRIGHT)) < 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000"])
@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P"])
def test_formats_and_modes_become_the_same_photograph(kind: str, mode: str) -> None:
    image = cat().convert(mode)
    if kind in ("JPEG", "WEBP", "PPM", "JPEG2000") and mode in ("P", "1"):
        image = image.convert("RGB")
    seen = pixels(encoded(image, kind))
    assert seen.shape == (64, 64, 3)
    assert far_from(seen, pixels(encoded(cat().convert(mode).convert("RGB"), "PNG"))) < 8


def test_the_colour_space_lab_is_converted() -> None:
    space = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(cat(), space)
    assert lab is not None
    assert far_from(pixels(encoded(lab, "TIFF")), pixels(UPRIGHT)) < 3


# -- fitted to the model -----------------------------------------------------------------------------------------------


def bars(width: int, height: int) -> bytes:
    """Red on the left, blue on the right, green between, a third each."""
    image = Image.new("RGB", (width, height), (0, 255, 0))
    image.paste((255, 0, 0), (0, 0, width // 3, height))
    image.paste((0, 0, 255), (width - width // 3, 0, width, height))
    return encoded(image, "PNG")


def test_the_crop_keeps_the_centre() -> None:
    seen = pixels(bars(300, 100), Preprocessing(size=50, resize=50))
    assert seen[:, 2:-2].reshape(-1, 3).tolist() == [[0, 255, 0]] * (46 * 50)


def test_the_crop_equals_resizing_and_then_cropping() -> None:
    # As torchvision does it: short side to 72, then the centre 64.
    big = cat().resize((108, 72), Image.Resampling.BICUBIC)
    expected = np.asarray(big.crop((22, 4, 86, 68)), np.int64)
    assert far_from(pixels(encoded(cat(), "PNG")), expected) < 2


def test_stretch_keeps_everything() -> None:
    seen = pixels(bars(300, 100), WHOLE)
    assert seen[32, 2].tolist() == [255, 0, 0]
    assert seen[32, 61].tolist() == [0, 0, 255]


def test_pad_keeps_the_shape_on_black() -> None:
    seen = pixels(bars(300, 100), Preprocessing(size=60, resize=60, rule="pad", filter="nearest"))
    assert seen[:20].max() == seen[40:].max() == 0
    assert seen[30, [0, 30, 59]].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_a_photograph_is_padded_upright() -> None:
    steps = Preprocessing(size=64, resize=64, rule="pad")
    assert far_from(pixels(rotated_by_exif(cat(), 6), steps), pixels(UPRIGHT, steps)) < 2


def test_bgr_is_rgb_turned_round_and_grey_has_one_channel() -> None:
    rgb = pixels(UPRIGHT)
    bgr = pixels(UPRIGHT, Preprocessing(size=64, resize=72, colour="BGR"))
    np.testing.assert_array_equal(bgr, rgb[:, :, ::-1])
    grey = pixels(UPRIGHT, Preprocessing(size=64, resize=72, colour="grey", mean=(0.5,), std=(0.5,)))
    assert grey.shape == (64, 64, 1)
    assert far_from(grey[:, :, 0], (rgb @ [0.299, 0.587, 0.114]).astype(np.int64)) < 1.5  # ITU-R 601


@pytest.mark.parametrize("rule", ["short_side_crop", "stretch", "pad"])
@pytest.mark.parametrize("side", [(1, 1), (1, 2000), (2000, 1), (2, 3)])
def test_tiny_and_long_images_fill_the_square(rule: str, side: tuple[int, int]) -> None:
    seen = pixels(encoded(Image.new("RGB", side, (10, 200, 30)), "PNG"), Preprocessing(size=32, resize=36, rule=rule))
    assert seen.shape == (32, 32, 3)
    assert seen[15, 15].tolist() == [10, 200, 30]


@pytest.mark.parametrize("wrong", [{"rule": "crop"}, {"filter": "cubic"}, {"colour": "CMYK"}])
def test_preprocessing_that_does_not_exist_is_an_error_that_lists_what_does(wrong: dict[str, str]) -> None:
    with pytest.raises(ArgumentInvalid, match="must be one of"):
        Preprocessing(size=8, resize=8, **wrong)  # type: ignore[arg-type]


# -- the limit of pixels -----------------------------------------------------------------------------------------------


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    assert reason(bomb(20_000, 12_000)) == "240 megapixels, above the limit of 100; raise max_pixels"
    assert reason(bomb(100_000, 100_000)) == "10,000 megapixels, above the limit of 100; raise max_pixels"


def test_raising_the_limit_lets_a_large_image_through_and_pillows_own_limit_comes_back() -> None:
    before = Image.MAX_IMAGE_PIXELS
    assert before is not None
    large = encoded(Image.new("1", (20_000, 12_000), 1), "PNG")
    seen = pixels(large, Preprocessing(size=8, resize=8, filter="nearest"), Limits(max_pixels=240_000_000))
    assert seen.min() == 255
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_lower_limit_is_kept_too() -> None:
    assert reason(UPRIGHT, Limits(max_pixels=100_000)) == (
        "0.1353 megapixels, above the limit of 0.1; raise max_pixels"
    )


def test_pillows_limit_comes_back_when_the_last_of_several_threads_is_done() -> None:
    before = Image.MAX_IMAGE_PIXELS
    inside, leave = threading.Barrier(5), threading.Event()
    seen: list[int | None] = []

    def hold(number: int) -> None:
        with own_pixel_limit():
            inside.wait()
            if number:
                leave.wait()
        seen.append(Image.MAX_IMAGE_PIXELS if number == 0 else -1)

    threads = [threading.Thread(target=hold, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    inside.wait()
    threads[0].join()
    assert seen == [None]  # three others are still at work
    leave.set()
    for thread in threads:
        thread.join()
    assert before == Image.MAX_IMAGE_PIXELS


def test_pillows_limit_comes_back_after_an_error() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(KeyboardInterrupt), own_pixel_limit():
        assert Image.MAX_IMAGE_PIXELS is None
        raise KeyboardInterrupt
    assert before == Image.MAX_IMAGE_PIXELS


# -- what is no image --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>\n<body>", "not an image: starts with '<html'"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html>", "not an image: starts with '<!DOCTYPE'"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image: starts with '<svg'"),
        (b'{"error": 404}', "not an image: starts with '{\"error\":'"),
        (b"version https://git-lfs.github.com/spec/v1", "not an image: starts with 'version'"),
        (b"   ", "not an image: starts with '   '"),
        (b"%PDF-1.4", "not an image: a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image: starts with '%!PS-Adobe-3'"),
        (b"RIFF\x24\0\0\0AVI LIST", "not an image: starts with 'RIFF$'"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "truncated JPEG"),
        (b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9", "damaged JPEG, or a kind of JPEG that cannot be read"),
        (b"GIF89a" + bytes(40) + b";", "damaged GIF, or a kind of GIF that cannot be read"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC photograph: install pillow-heif to read it"),
    ],
)
def test_what_is_no_image_is_said_in_plain_words(content: bytes, words: str) -> None:
    assert reason(content) == words


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("part", [0.003, 0.3, 0.95])
def test_a_truncated_file_says_truncated_and_its_format(kind: str, part: float) -> None:
    whole = encoded(cat(), kind)
    assert reason(whole[: max(16, int(len(whole) * part))]) == f"truncated {'WebP' if kind == 'WEBP' else kind}"


FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000"]
SAMPLES = {kind: encoded(cat().resize((45, 30)), kind) for kind in FORMATS}
SAMPLES["TIFF"] = encoded(cat().resize((45, 30)), "TIFF", compression="tiff_lzw")


def read_or_refuse(content: bytes) -> None:
    """Decode, or say why not; nothing else may happen."""
    try:
        seen = decode_image(content, SMALL, LIMITS)
    except Unreadable as problem:
        assert 5 < len(str(problem)) < 200
        assert "\n" not in str(problem)
    else:
        assert seen.shape == (64, 64, 3)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FORMATS), st.floats(0, 1))
def test_a_file_cut_anywhere_is_read_or_refused(kind: str, part: float) -> None:
    read_or_refuse(SAMPLES[kind][: int(len(SAMPLES[kind]) * part)])


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FORMATS), st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=4))
def test_a_file_with_wrong_bytes_is_read_or_refused(kind: str, changes: list[tuple[float, bytes]]) -> None:
    content = bytearray(SAMPLES[kind])
    for place, new in changes:
        start = int(place * len(content))
        content[start : start + len(new)] = new
    read_or_refuse(bytes(content))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"P6 "]), st.binary())
def test_random_bytes_are_refused(start: bytes, rest: bytes) -> None:
    read_or_refuse(start + rest)


# -- whole photographs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_whole_photograph_is_upright_and_given_back_after_use(orientation: int) -> None:
    picture = cat().resize((90, 60))
    with upright_image(rotated_by_exif(picture, orientation), Limits()) as upright:
        assert upright.mode == "RGB" and upright.size == (90, 60)
        difference = np.abs(np.asarray(upright, int) - np.asarray(picture.convert("RGB"), int))
    assert difference.mean() < 6
    with pytest.raises(ValueError, match="closed"):
        upright.getpixel((0, 0))


def test_a_whole_photograph_has_white_where_it_is_transparent_and_the_same_limits() -> None:
    content = encoded(Image.new("RGBA", (4, 3), (255, 0, 0, 0)), "PNG")
    with upright_image(content, Limits()) as upright:
        assert np.asarray(upright).min() == 255
    with pytest.raises(Unreadable, match="above the limit"), upright_image(content, Limits(5)):
        pass
    with pytest.raises(Unreadable, match="truncated PNG"), upright_image(content[:50], Limits()):
        pass
