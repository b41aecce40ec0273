import io

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from articles.models import Article


@pytest.fixture(autouse=True)
def storages(settings, tmp_path):
    """Pictures go to a scratch folder; static files need no `collectstatic`."""
    settings.MEDIA_ROOT = tmp_path / "media"
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()


@pytest.fixture
def user(db):
    return User.objects.create_user("ada", password="analytical engine")


@pytest.fixture
def ada(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def tea(user):
    article = Article.objects.create(title="Green tea", slug="green-tea", text="Leaves.\n")
    article.revise("Leaves.\n", by=user, based_on=0)
    return article


def drawing(size=(40, 30), kind="PNG", name="x.png", **options) -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", size, "purple").save(made, kind, **options)
    return SimpleUploadedFile(name, made.getvalue())
