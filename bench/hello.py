"""The smallest Flask app: its cost is the platform's."""

from __future__ import annotations

import sys
from pathlib import Path

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

FILES = {
    "Procfile": "web: gunicorn app:app\n",
    ".python-version": f"{PYTHON}\n",
    "requirements.txt": "Flask==3.1.3\ngunicorn==27.0.1\n",
    "app.py": """\
import os

from flask import Flask

app = Flask(__name__)
VERSION = "first"


@app.get("/")
def hello():
    return f"Hello from {VERSION}\\n"


@app.get("/port")
def port():
    return os.environ["PORT"]
""",
}


def write(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
