"""Which package brings which import. Python cannot tell without installing; these are the well-known differences.

An import that is not listed is looked for under its own name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from packaging.utils import canonicalize_name

PROVIDERS: dict[str, tuple[str, ...]] = {
    "Crypto": ("pycryptodome", "pycrypto"),
    "MySQLdb": ("mysqlclient",),
    "OpenSSL": ("pyopenssl",),
    "PIL": ("pillow", "pillow-simd"),
    "allauth": ("django-allauth",),
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4", "bs4"),
    "cairosvg": ("cairosvg",),
    "channels_redis": ("channels-redis",),
    "cloudinary_storage": ("django-cloudinary-storage",),
    "corsheaders": ("django-cors-headers", "django-cors-middleware"),
    "crispy_bootstrap5": ("crispy-bootstrap5",),
    "crispy_forms": ("django-crispy-forms",),
    "cv2": ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "dateutil": ("python-dateutil",),
    "debug_toolbar": ("django-debug-toolbar",),
    "decouple": ("python-decouple",),
    "dj_database_url": ("dj-database-url",),
    "django_extensions": ("django-extensions",),
    "django_filters": ("django-filter",),
    "django_heroku": ("django-heroku", "django-on-heroku"),
    "django_on_heroku": ("django-on-heroku",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv", "dotenv"),
    "drf_yasg": ("drf-yasg",),
    "environ": ("django-environ", "environ-config"),
    "faker": ("faker",),
    "fitz": ("pymupdf",),
    "flask_bcrypt": ("flask-bcrypt",),
    "flask_cors": ("flask-cors",),
    "flask_jwt_extended": ("flask-jwt-extended",),
    "flask_limiter": ("flask-limiter",),
    "flask_login": ("flask-login",),
    "flask_mail": ("flask-mail",),
    "flask_marshmallow": ("flask-marshmallow",),
    "flask_migrate": ("flask-migrate",),
    "flask_moment": ("flask-moment",),
    "flask_restful": ("flask-restful",),
    "flask_script": ("flask-script",),
    "flask_socketio": ("flask-socketio",),
    "flask_sqlalchemy": ("flask-sqlalchemy",),
    "flask_talisman": ("flask-talisman",),
    "flask_wtf": ("flask-wtf",),
    "git": ("gitpython",),
    "gridfs": ("pymongo",),
    "import_export": ("django-import-export",),
    "jose": ("python-jose",),
    "jwt": ("pyjwt",),
    "magic": ("python-magic", "python-magic-bin"),
    "markdown": ("markdown",),
    "modelcluster": ("django-modelcluster",),
    "mysql": ("mysql-connector-python", "mysql-connector"),
    "nacl": ("pynacl",),
    "pkg_resources": ("setuptools",),
    "pptx": ("python-pptx",),
    "psycopg": ("psycopg", "psycopg-binary"),
    "psycopg2": ("psycopg2-binary", "psycopg2"),
    "pwa": ("django-pwa",),
    "pymysql": ("pymysql",),
    "pytz": ("pytz",),
    "rest_framework": ("djangorestframework",),
    "rest_framework_simplejwt": ("djangorestframework-simplejwt",),
    "sentry_sdk": ("sentry-sdk",),
    "serial": ("pyserial",),
    "sklearn": ("scikit-learn",),
    "slugify": ("python-slugify",),
    "socketio": ("python-socketio",),
    "social_django": ("social-auth-app-django",),
    "sqlalchemy": ("sqlalchemy",),
    "storages": ("django-storages",),
    "stripe": ("stripe",),
    "taggit": ("django-taggit",),
    "treebeard": ("django-treebeard",),
    "telegram": ("python-telegram-bot",),
    "whitenoise": ("whitenoise",),
    "widget_tweaks": ("django-widget-tweaks",),
    "wtforms": ("wtforms",),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
}  # fmt: skip
"""Packages by the name that is imported, the usual one first."""

BRINGS: dict[str, tuple[str, ...]] = {
    "alembic": ("sqlalchemy", "mako", "typing-extensions"),
    "asgiref": (),
    "beautifulsoup4": ("soupsieve", "typing-extensions"),
    "blinker": (),
    "boto3": ("botocore", "s3transfer", "jmespath"),
    "botocore": ("jmespath", "python-dateutil", "urllib3"),
    "celery": ("billiard", "kombu", "vine", "click", "click-didyoumean", "click-plugins", "click-repl",
               "python-dateutil", "tzdata", "redis"),
    "certifi": (),
    "charset-normalizer": (),
    "click": (),
    "cryptography": ("cffi",),
    "cffi": ("pycparser",),
    "dj-database-url": ("django",),
    "django": ("asgiref", "sqlparse"),
    "django-cors-headers": ("django", "asgiref"),
    "django-crispy-forms": ("django",),
    "django-environ": (),
    "django-filter": ("django",),
    "django-heroku": ("dj-database-url", "whitenoise", "psycopg2", "django"),
    "django-on-heroku": ("dj-database-url", "whitenoise", "psycopg2-binary", "django"),
    "django-storages": ("django", "boto3"),
    "djangorestframework": ("django",),
    "djangorestframework-simplejwt": ("django", "djangorestframework", "pyjwt"),
    "email-validator": ("dnspython", "idna"),
    "fastapi": ("starlette", "pydantic", "pydantic-core", "anyio", "typing-extensions", "annotated-types", "idna",
                "sniffio", "typing-inspection", "annotated-doc"),
    "flask": ("werkzeug", "jinja2", "click", "itsdangerous", "blinker", "markupsafe"),
    "flask-bcrypt": ("flask", "bcrypt"),
    "flask-cors": ("flask", "werkzeug"),
    "flask-jwt-extended": ("flask", "werkzeug", "pyjwt"),
    "flask-limiter": ("flask", "limits", "ordered-set", "rich"),
    "flask-login": ("flask", "werkzeug"),
    "flask-mail": ("flask", "blinker"),
    "flask-marshmallow": ("flask", "marshmallow"),
    "flask-migrate": ("flask", "flask-sqlalchemy", "alembic"),
    "flask-restful": ("flask", "aniso8601", "pytz", "six"),
    "flask-script": ("flask",),
    "flask-socketio": ("flask", "python-socketio", "python-engineio"),
    "flask-sqlalchemy": ("flask", "sqlalchemy"),
    "flask-talisman": (),
    "flask-wtf": ("flask", "wtforms", "itsdangerous"),
    "geoalchemy2": ("sqlalchemy", "packaging"),
    "greenlet": (),
    "gunicorn": ("packaging",),
    "h11": (),
    "httpcore": ("h11", "certifi"),
    "httpx": ("httpcore", "anyio", "certifi", "idna", "sniffio", "h11"),
    "idna": (),
    "itsdangerous": (),
    "jinja2": ("markupsafe",),
    "kombu": ("vine", "amqp", "tzdata", "packaging"),
    "limits": ("deprecated", "packaging", "typing-extensions"),
    "mako": ("markupsafe",),
    "markdown": (),
    "markupsafe": (),
    "marshmallow": ("packaging",),
    "nltk": ("click", "joblib", "regex", "tqdm"),
    "numpy": (),
    "packaging": (),
    "pandas": ("numpy", "python-dateutil", "pytz", "tzdata"),
    "passlib": (),
    "pillow": (),
    "psycopg": ("typing-extensions", "psycopg-binary", "psycopg-pool"),
    "psycopg2": (),
    "psycopg2-binary": (),
    "pydantic": ("pydantic-core", "annotated-types", "typing-extensions"),
    "pydantic-settings": ("pydantic", "python-dotenv"),
    "pyjwt": ("cryptography",),
    "pymysql": (),
    "python-dateutil": ("six",),
    "python-decouple": (),
    "python-dotenv": (),
    "python-multipart": (),
    "pytz": (),
    "pyyaml": (),
    "redis": ("async-timeout",),
    "requests": ("urllib3", "certifi", "charset-normalizer", "idna", "chardet"),
    "scikit-learn": ("numpy", "scipy", "joblib", "threadpoolctl"),
    "sentry-sdk": ("urllib3", "certifi"),
    "setuptools": (),
    "six": (),
    "soupsieve": (),
    "sqlalchemy": ("greenlet", "typing-extensions"),
    "sqlmodel": ("sqlalchemy", "pydantic"),
    "sqlparse": (),
    "starlette": ("anyio", "idna", "sniffio"),
    "stripe": ("requests", "typing-extensions"),
    "typing-extensions": (),
    "tzdata": (),
    "urllib3": (),
    "uvicorn": ("click", "h11", "httptools", "uvloop", "websockets", "watchfiles", "python-dotenv", "pyyaml"),
    "wagtail": ("django", "django-modelcluster", "django-taggit", "django-treebeard", "djangorestframework",
                "django-filter", "draftjs-exporter", "pillow", "beautifulsoup4", "willow", "requests", "openpyxl"),
    "waitress": (),
    "werkzeug": ("markupsafe",),
    "whitenoise": ("brotli",),
    "wtforms": ("markupsafe",),
}  # fmt: skip
"""What a package brings along, extras of it too, as far as apps import it."""

STANDARD = frozenset(sys.stdlib_module_names) | frozenset(
    # gone from newer Pythons, or new in them: the app's Python need not be Homeport's
    "asynchat asyncore audioop binhex cgi cgitb chunk crypt distutils formatter imghdr imp macpath mailcap msilib nis "
    "nntplib ossaudiodev parser pipes smtpd sndhdr spwd sunau symbol telnetlib tomllib uu xdrlib zoneinfo compression "
    "annotationlib string pathlib _typeshed __main__ __future__".split()
)


def canonical(name: str) -> str:
    return str(canonicalize_name(name))


def providers(imported: str) -> tuple[str, ...]:
    """The packages that may bring an import, by canonical names; the one to ask for first."""
    return PROVIDERS.get(imported) or (canonical(imported),)


def well_known(imported: str) -> bool:
    """Whether it is certain which package brings it."""
    return imported in PROVIDERS or canonical(imported) in BRINGS


def with_all_they_bring(names: Iterable[str]) -> frozenset[str]:
    """Packages, and what is known to come along with them."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += BRINGS.get(name, ())
    return frozenset(found)
