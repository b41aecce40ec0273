"""django-storages as an app configures it: with the four variables of Bucketeer, and what the environment says."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from homeport.addons.buckets.variables import config_vars
from tests.integration.addons.buckets.ground import Tenant

pytestmark = pytest.mark.slow

PROGRAM = """
import json, os, urllib.request
import django
from django.conf import settings

settings.configure(STORAGES={"default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {
    "bucket_name": os.environ["BUCKETEER_BUCKET_NAME"],
    "access_key": os.environ["BUCKETEER_AWS_ACCESS_KEY_ID"],
    "secret_key": os.environ["BUCKETEER_AWS_SECRET_ACCESS_KEY"],
    "region_name": os.environ["BUCKETEER_AWS_REGION"],
}}})
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage as storage

name = storage.save("public/media/ü p.png", ContentFile(b"png"))
storage.save("private.txt", ContentFile(b"private"))
with urllib.request.urlopen(storage.url(name)) as answer:
    signed = answer.read().decode(), answer.headers["content-type"]
with urllib.request.urlopen(storage.url(name).partition("?")[0]) as answer:
    public = answer.read().decode()
with storage.open("notes.txt", "w") as file:
    file.write("x" * 6_000_000)
facts = {
    "name": name, "signed": signed, "public": public, "size": storage.size("notes.txt"),
    "listed": storage.listdir("public/media"), "modified": storage.get_modified_time(name).year > 2000,
}
storage.delete(name)
print(json.dumps({**facts, "gone": not storage.exists(name)}))
"""


def test_an_unchanged_app_keeps_its_files(tenant: Tenant) -> None:
    environment = {**os.environ, **config_vars(tenant.resource.secret, "BUCKETEER"), "BOTO_DISABLE_CRT": "true"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "name": "public/media/ü p.png",
        "signed": ["png", "image/png"],
        "public": "png",
        "size": 6_000_000,
        "listed": [[], ["ü p.png"]],
        "modified": True,
        "gone": True,
    }
