"""gunicorn reads this file by itself, once, before its workers start.

It lets the very first deploy work although nothing is configured yet, and says in the log what to configure.
"""

import os
import secrets
import subprocess
import sys


def on_starting(server):
    if not os.environ.get("SECRET_KEY"):
        # All workers must share the key, so it is made here and not in the settings.
        os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)
        server.log.warning("SECRET_KEY is not set: everybody is logged out whenever this dyno restarts.")
    if not os.environ.get("DATABASE_URL"):
        # The release phase ran in a dyno of its own, and what it wrote to its disk went with it.
        server.log.warning("DATABASE_URL is not set: articles go to SQLite, which a dyno loses with its disk.")
        subprocess.run([sys.executable, "manage.py", "migrate", "--noinput", "--verbosity=0"], check=True)
