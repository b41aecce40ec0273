"""Where `addons:open` leads: a page of the platform's own where a service has one, else Heroku's words about it."""

from __future__ import annotations

from homeport.api.exchange import Call
from homeport.api.resources import error_help, scheduler_page
from homeport.scheduler import SERVICE
from homeport.state import Addon

_DEV_CENTER = "https://devcenter.heroku.com/articles"


def web_url(call: Call, addon: Addon) -> str:
    if addon.service == SERVICE:
        return scheduler_page.url(call, addon)
    return f"{call.core.urls.api}{error_help.PATH}" if addon.service == "sentry" else f"{_DEV_CENTER}/{addon.service}"
