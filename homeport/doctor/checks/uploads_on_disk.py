"""What visitors upload is written to the dyno's disk.

The disk is the dyno's own and goes with it: with every deploy, config change and restart the files are gone, and
with two dynos each has half of them. A bucket keeps them; the add-on bucketeer gives one, boto3 or django-storages
use it:

    heroku addons:create bucketeer:hobbyist
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from homeport.doctor import django
from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project
from homeport.doctor.source import Source, keyword

_BUCKETS = ("boto3", "django-storages", "cloudinary", "django-cloudinary-storage", "minio", "google-cloud-storage",
            "azure-storage-blob", "aioboto3", "s3fs", "flask-s3", "django-minio-backend")  # fmt: skip
_WHY = "A dyno's disk is gone when the dyno goes: uploads vanish with every deploy, config change and restart."
_FIX = "Keep them in a bucket:\n\n  heroku addons:create bucketeer:hobbyist"
_PLACE = re.compile(r"UPLOAD_FOLDER|UPLOADS?_DIR|root_path\b.*\bstatic\b", re.S)
_PASSING = re.compile(r"tempfile|/tmp|Temporary|BytesIO", re.I)


def find(project: Project) -> Iterator[Finding]:
    if project.uses(*_BUCKETS):
        return
    settings = django.settings(project)
    if settings is not None:
        yield from _django(project, settings)
        return
    for source in project.running:
        yield from _saved(source)


def _django(project: Project, settings: django.Settings) -> Iterator[Finding]:
    if settings.all("DEFAULT_FILE_STORAGE"):
        return
    for source in project.running:
        for call in source.calls("FileField", "ImageField"):
            if ast.unparse(call.func).startswith("models.") and keyword(call, "storage") is None:
                fix = f"{_FIX}\n\nand let django-storages use it: STORAGES in the settings."
                yield error(source.path, call.lineno, "Uploads go to the dyno's disk.", why=_WHY, fix=fix)
                return


def _saved(source: Source) -> Iterator[Finding]:
    """`file.save(…)` in a function that takes a file out of a Flask request."""
    for call in source.calls("save"):
        function = source.function_of(call)
        if function is None or len(call.args) != 1 or not isinstance(call.func, ast.Attribute):
            continue
        text = ast.unparse(function)
        taken = re.search(r"\brequest\.files\b|\.data\b|FileStorage", text)
        held = re.search(r"(file|upload|image|photo|picture|avatar)", ast.unparse(call.func.value), re.I)
        meant = (taken and held and "request.files" in text) or _PLACE.search(text)
        if meant and not _PASSING.search(text):
            yield error(source.path, call.lineno, "An upload is written to the dyno's disk.", why=_WHY,
                        fix=f"{_FIX}\n\nand hand the file to boto3: client.upload_fileobj(file, …)")  # fmt: skip
