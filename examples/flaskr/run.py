"""What gunicorn (`run:app`) and the `flask --app run` commands load; `from run import app, db` in a Python console."""

from flaskr import create_app
from flaskr.extensions import db

__all__ = ["app", "db"]

app = create_app()
