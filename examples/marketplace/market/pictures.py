"""Pictures that people upload: is it one, and how is it shown? Nothing of a file is believed but its pixels.

What is kept is drawn anew as JPEG. That takes away what does not belong on a web page: where a phone took the picture,
and whatever else somebody hides in a file.
"""

from __future__ import annotations

import io
import secrets
import warnings
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 40_000_000  # a small file may unfold to gigabytes; the size is in its first bytes
LARGE, SMALL = (1400, 1400), (640, 480)


class NotAPicture(ValueError):
    """With a sentence for people."""


@dataclass(frozen=True)
class Picture:
    name: str
    large: bytes
    small: bytes


def read(file: BinaryIO) -> Picture:
    """Raises `NotAPicture`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise NotAPicture("This picture has too many pixels. 40 million are enough.")
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAPicture("This picture has too many pixels. 40 million are enough.") from None
    except UnidentifiedImageError:
        raise NotAPicture("This file is no picture. JPEG, PNG and WebP are welcome.") from None
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's ways to say that a file is damaged
        if isinstance(error, NotAPicture):
            raise
        raise NotAPicture("This picture is damaged.") from None
    upright = _on_white(ImageOps.exif_transpose(image))
    large = upright.copy()
    large.thumbnail(LARGE)
    return Picture(secrets.token_urlsafe(16), _jpeg(large), _jpeg(ImageOps.fit(upright, SMALL)))


def _on_white(image: Image.Image) -> Image.Image:
    """JPEG has no transparency."""
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    white.alpha_composite(layer)
    return white.convert("RGB")


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=84, optimize=True, progressive=True)
    return out.getvalue()
