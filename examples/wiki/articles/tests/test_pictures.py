import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from articles import pictures
from articles.tests.conftest import drawing


def kept(upload):
    return Image.open(io.BytesIO(pictures.prepare(upload).read()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_pictures_become_webp(kind):
    assert (kept(drawing(kind=kind)).format, kept(drawing(kind=kind)).size) == ("WEBP", (40, 30))


def test_large_ones_become_small():
    assert kept(drawing(size=(3200, 1600))).size == (1600, 800)


def test_what_cameras_add_is_left_behind_and_pictures_stand_upright():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "the camera"  # turned by a quarter; its maker
    picture = kept(drawing(kind="JPEG", exif=exif))
    assert picture.size == (30, 40)
    assert not picture.getexif()


def test_names_are_never_those_of_the_upload():
    names = {pictures.prepare(drawing(name="../../etc/passwd")).name for _ in range(2)}
    assert len(names) == 2
    assert all(len(name) == 37 and name.endswith(".webp") for name in names)


def test_too_many_bytes_or_pixels(monkeypatch):
    with pytest.raises(ValidationError, match="at most 5 MB"):
        pictures.prepare(SimpleUploadedFile("x.png", b"x" * (5 * 1024 * 1024 + 1)))
    monkeypatch.setattr(pictures, "MAX_PIXELS", 100)
    with pytest.raises(ValidationError, match="million pixels"):
        pictures.prepare(drawing())


@pytest.mark.parametrize("content", [b"<svg/>", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_picture(content):
    with pytest.raises(ValidationError, match="not a picture"):
        pictures.prepare(SimpleUploadedFile("x.png", content))


def test_a_picture_that_is_cut_off():
    whole = drawing().read()
    with pytest.raises(ValidationError, match="not a picture"):
        pictures.prepare(SimpleUploadedFile("x.png", whole[:-30]))
