"""Colours as sRGB, which is what pixels without a profile are taken for."""

from __future__ import annotations

import io

from PIL import Image, ImageCms


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture in sRGB: as it is without a profile, and with one that cannot be understood, as viewers do.

    Pictures of more than 8 bits a channel stay as they are too.
    """
    if not profile or image.mode.startswith(("I", "F")):
        return image
    try:
        whole = image.convert("RGBA") if image.has_transparency_data else image
        plain = whole if whole.mode in ("RGB", "CMYK", "L") else whole.convert("RGB")
        read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        changed = ImageCms.profileToProfile(plain, read, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    if changed is None:
        return image
    if whole.mode == "RGBA":
        changed.putalpha(whole.getchannel("A"))
    return changed
