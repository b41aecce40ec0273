"""What gunicorn (`run:app`) and the `flask --app run` commands load."""

from flaskr import create_app

app = create_app()
