"""What gunicorn loads: `wiki.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wiki.settings.heroku")

application = get_wsgi_application()
