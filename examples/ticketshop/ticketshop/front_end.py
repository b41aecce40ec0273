"""Everything that is not the API is the front end: one page, whose script reads the address and draws what it means."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, send_from_directory
from flask.typing import ResponseReturnValue

blueprint = Blueprint("front_end", __name__)

NOT_BUILT = """<!doctype html><title>ticketshop</title>
<p>The API answers, but the front end is not built. At home: <code>npm install && npm run build</code>.
On a dyno: <code>heroku buildpacks:add --index 1 heroku/nodejs</code>, and push again.</p>
"""


@blueprint.get("/")
@blueprint.get("/<path:path>")
def page(path: str = "") -> ResponseReturnValue:
    if path.startswith(("api/", "assets/")):
        abort(404)
    client = current_app.config["CLIENT"]
    if not (client / "index.html").exists():
        return NOT_BUILT, 503
    # The page names the assets of its build, so a browser must ask for a new one each time; the assets it may keep.
    name = path if path in ("icon.svg", "robots.txt") else "index.html"
    return send_from_directory(client, name, max_age=0)
