"""What the Procfile starts: `app:app` is the web app (gunicorn), `app:celery` the worker (Celery).

The `flask` command looks for a file of this name, so `flask db upgrade` needs no --app.
"""

from wordcount import create_app

app = create_app()
celery = app.extensions["celery"]
