"""Django's static files are not collected, or nobody serves them.

`runserver` serves them at home. With DEBUG off Django does not: pages come without styles and scripts, the admin too.
STATIC_ROOT says where the build's `collectstatic` gathers them, and WhiteNoise serves them from the app itself:

    MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "whitenoise.middleware.WhiteNoiseMiddleware", …]
    STATIC_ROOT = BASE_DIR / "staticfiles"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homeport.doctor import django
from homeport.doctor.findings import Finding, warning
from homeport.doctor.project import Project

_ELSEWHERE = re.compile(
    r"STATICFILES_STORAGE\s*=\s*['\"](?!whitenoise|django\.)|['\"]staticfiles['\"]\s*[:\]][^}]*storages\.backends"
    r"|django_heroku|django_on_heroku"
)
_WHY = "With DEBUG off Django serves no static files: pages come without styles and scripts, the admin too."


def find(project: Project) -> Iterator[Finding]:
    settings = django.settings(project)
    if settings is None or not _has_static_files(project, settings):
        return
    if _ELSEWHERE.search(settings.text):
        return
    if not settings.all("STATIC_ROOT"):
        yield warning(
            *_place(settings),
            "STATIC_ROOT is not set.",
            why=f"The build has nowhere to collect the static files to.\n{_WHY}",
            fix='Say where:\n\n  STATIC_ROOT = BASE_DIR / "staticfiles"',
        )
    if "whitenoise" not in settings.text.casefold() and not project.uses("dj-static"):
        yield warning(
            *_place(settings),
            "Nobody serves the static files.",
            why=_WHY,
            fix="Add whitenoise to the requirements, and to MIDDLEWARE after SecurityMiddleware:\n\n"
            '  "whitenoise.middleware.WhiteNoiseMiddleware",',
        )


def _has_static_files(project: Project, settings: django.Settings) -> bool:
    """Whether there is anything to serve: files of its own, the admin, or templates that ask for some."""
    if "django.contrib.staticfiles" not in settings.entries("INSTALLED_APPS"):
        return False
    admin = "django.contrib.admin" in settings.entries("INSTALLED_APPS")
    return admin or any(re.search(r"(^|/)static/[^/]", path) for path in project.files)


def _place(settings: django.Settings) -> tuple[str, int]:
    found = settings.all("STATIC_URL") or settings.all("STATICFILES_DIRS")
    return (found[-1].path, found[-1].line) if found else (settings.path, 0)
