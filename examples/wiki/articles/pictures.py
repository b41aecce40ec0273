"""Pictures that people upload: checked, turned the right way round, made small, and stripped of what cameras add."""

import io
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000  # four bytes each, once they are read into memory
EDGE = 1600  # of the picture that is kept, in pixels


def prepare(upload: UploadedFile) -> ContentFile:
    """The picture as it is kept: a WebP file under a name of its own. Raises `ValidationError`.

    Drawing it anew leaves behind what is not picture: where it was taken, and scripts that some files carry. A name of
    its own means that what is at an address never changes, so that browsers may keep it.
    """
    if upload.size is None or upload.size > MAX_BYTES:
        raise ValidationError(f"A picture has at most {MAX_BYTES // 1024**2} MB.")
    try:
        upload.seek(0)
        with Image.open(upload, formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:  # known from the header, before anything is unpacked
                raise ValidationError(f"A picture has at most {MAX_PIXELS // 1_000_000} million pixels.")
            upright = ImageOps.exif_transpose(picture)
            upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ValidationError("That is not a picture that we can read: JPEG, PNG, WebP and GIF are.") from None
    upright.thumbnail((EDGE, EDGE))
    kept = io.BytesIO()
    upright.save(kept, "WEBP", quality=85)
    return ContentFile(kept.getvalue(), name=f"{uuid4().hex}.webp")
