"""What the pages say about things that this wiki is about to lose. Said to those who can change it."""

import os

from django.conf import settings
from django.db import connection
from django.http import HttpRequest


def what_will_be_lost(request: HttpRequest) -> dict[str, list[tuple[str, str]]]:
    """`notices`: pairs of what is wrong, and the command that helps."""
    if "DYNO" not in os.environ:
        return {"notices": []}
    notices = []
    if connection.vendor == "sqlite":
        # Said to everybody: accounts are lost as well, so there may be no admin who could read it.
        what = "This wiki forgets: its articles are in SQLite on the dyno's own disk, gone at the next restart."
        notices.append((what, "heroku addons:create heroku-postgresql:essential-0"))
    user = getattr(request, "user", None)
    if settings.PICTURES_ARE_LOCAL and user is not None and user.is_staff:
        what = "Pictures are lost at the next deploy, config change or daily restart: they are on the dyno's own disk."
        notices.append((what, "heroku addons:create bucketeer:hobbyist"))
    return {"notices": notices}
