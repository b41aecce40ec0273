"""What gunicorn (`app:app`) and the `flask` command load."""

from ticketshop import create_app

app = create_app()
