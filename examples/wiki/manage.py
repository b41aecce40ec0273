#!/usr/bin/env python
"""Django's commands: `python manage.py help`."""

import os
import sys
from pathlib import Path

import environ
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    # On your machine .env says which settings to use; on a dyno there is no such file, and production is what you get
    # without asking. What the environment says already wins over the file.
    if (dotenv := Path(__file__).parent / ".env").exists():
        environ.Env.read_env(dotenv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wiki.settings.heroku")
    execute_from_command_line(sys.argv)
