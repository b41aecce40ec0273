"""What a dyno needs on top of the base.

BUCKETEER_BUCKET_NAME, BUCKETEER_AWS_ACCESS_KEY_ID, BUCKETEER_AWS_SECRET_ACCESS_KEY, BUCKETEER_AWS_REGION
    the bucket for pictures; the add-on bucketeer sets them
SECURE_HSTS_SECONDS
    for how long browsers shall refuse to come by http; set it when you are sure
"""

from .base import *  # noqa: F403
from .base import env

DEBUG = False

# Only the router reaches us, and it lets through only the names of this app. Say them all the same if you like.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])

# The router ends TLS, and says by this header that the visitor came by https.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0)

# A dyno's disk is gone with the dyno: pictures need another place.
PICTURES_ARE_LOCAL = "BUCKETEER_BUCKET_NAME" not in env
if not PICTURES_ARE_LOCAL:
    STORAGES["default"] = {  # noqa: F405
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env.str("BUCKETEER_BUCKET_NAME"),
            "access_key": env.str("BUCKETEER_AWS_ACCESS_KEY_ID"),
            "secret_key": env.str("BUCKETEER_AWS_SECRET_ACCESS_KEY"),
            "region_name": env.str("BUCKETEER_AWS_REGION"),
            "location": "public",  # of such a bucket, what is under public/ may be read by everybody …
            "querystring_auth": False,  # … so addresses need no signature, and browsers may keep what they got
            "default_acl": None,
            "file_overwrite": False,
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
        },
    }

# Logs are a stream: print them, and the platform collects them.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
