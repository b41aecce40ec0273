"""The settings of a dyno, each time in a process of its own: Django reads them once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent.parent
BUCKET = {
    "BUCKETEER_BUCKET_NAME": "bucketeer-1",
    "BUCKETEER_AWS_ACCESS_KEY_ID": "key",
    "BUCKETEER_AWS_SECRET_ACCESS_KEY": "secret",
    "BUCKETEER_AWS_REGION": "eu-west-1",
}


def django(code: str, **variables: str) -> str:
    """What this code prints on a dyno with these config vars."""
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "wiki.settings.heroku", **variables}
    program = f"import django; django.setup(); from django.conf import settings; {code}"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=HERE, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ({}, "https://bucketeer-1.s3.amazonaws.com/public/articles/x.webp"),
        (
            {"AWS_ENDPOINT_URL_S3": "https://127.0.0.1:9000"},
            "https://127.0.0.1:9000/bucketeer-1/public/articles/x.webp",
        ),
    ],
)
def test_pictures_are_in_the_public_part_of_the_bucket(more, url):
    code = "from django.core.files.storage import default_storage; print(default_storage.url('articles/x.webp'))"
    assert django(code, **BUCKET, **more) == url


def test_without_a_bucket_they_are_on_the_disk():
    assert django("print(settings.PICTURES_ARE_LOCAL, settings.STORAGES['default']['BACKEND'])").startswith("True ")


def test_the_database_of_the_platform_is_understood():
    shown = django("print(settings.DATABASES['default']['ENGINE'])", DATABASE_URL="postgres://u:p@h:5432/d")
    assert shown == "django.db.backends.postgresql"


def test_debugging_cannot_be_left_on():
    assert django("print(settings.DEBUG)", DEBUG="on") == "False"
