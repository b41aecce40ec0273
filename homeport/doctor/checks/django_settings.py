"""Dynos take Django's settings for development, unless a config var says otherwise.

manage.py and wsgi.py name the settings that count when DJANGO_SETTINGS_MODULE is not set. At home `.env` can say so;
on a dyno nothing does, until you do. Name the production settings in both files, and those for development in `.env`:

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings.production")
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.doctor import django
from homeport.doctor.findings import Finding, warning
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    path = django.chosen(project) if project.uses("django") else None
    better = django.in_production(project, path)
    if path is None or better is None or better == path:
        return
    module = better.removesuffix(".py").replace("/", ".")
    yield warning(
        path,
        0,
        f"{path} counts on dynos, unless DJANGO_SETTINGS_MODULE says otherwise.",
        why="It is meant for development: debug mode, no allowed hosts, a database of its own.",
        fix=f"Choose the others once the app is created:\n\n  heroku config:set DJANGO_SETTINGS_MODULE={module}\n\n"
        "Better: let wsgi.py and manage.py name them, and .env those for development.",
    )
