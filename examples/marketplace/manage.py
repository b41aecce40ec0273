"""What gunicorn (`manage:app`) loads, and the command line: `python manage.py deploy`, `shell`, `run`, `routes`, `db`."""

from dotenv import load_dotenv
from flask.cli import FlaskGroup

load_dotenv()  # at home .env stands in for config vars; what the environment says already wins

from market import create_app  # noqa: E402 - the settings are read from the environment when the app is made

app = create_app()
cli = FlaskGroup(create_app=lambda: app)

if __name__ == "__main__":
    cli()
