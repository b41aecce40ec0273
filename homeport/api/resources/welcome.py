"""What a person sees who opens the platform's own address in a browser; programs get the same as JSON."""

from __future__ import annotations

import html

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from homeport.api.exchange import Call

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Homeport</title>
<style>
:root {{ color-scheme: light dark;
  --ink: #26223a; --soft: #6b6780; --paper: #fbfafd; --line: #e4e1ee; --mark: #6a4bd1; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #ece9f6; --soft: #a7a2bd; --paper: #17151f; --line: #363148; --mark: #b49cff; }} }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }}
main {{ width: min(40rem, calc(100% - 3rem)); padding: 2rem 0; }}
h1 {{ font-size: 1.6rem; margin: 0 0 .75rem; }}
p, dt {{ color: var(--soft); }}
dd {{ margin: .15rem 0 1rem; padding: .6rem .8rem; border: 1px solid var(--line); border-radius: 8px; }}
code {{ font: .92rem ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }}
b {{ color: var(--mark); }}
</style>
<main>
<h1><b>Homeport</b> is up</h1>
<p>This is the address of its API and of git. It is driven from a terminal, with <code>homeport</code> or the official
<code>heroku</code> command line; apps answer at <code>{apps}</code>.</p>
<dl>
<dt>In a shell on this machine, so that <code>heroku</code> and git know this platform</dt>
<dd><code>eval "$(homeport env)"</code></dd>
<dt>A first app, in a git checkout with a Procfile</dt>
<dd><code>heroku create &amp;&amp; git push heroku main &amp;&amp; heroku open</code></dd>
<dt>All apps that there are</dt>
<dd><code>heroku apps</code></dd>
</dl>
</main>
</html>
"""


async def page(call: Call, request: Request) -> Response:
    """Says what this address is for, and nothing that not everybody may know."""
    urls = call.core.urls
    if "text/html" in request.headers.get("accept", ""):
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        page = _PAGE.format(apps=html.escape(urls.app_url("NAME")))
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})
    return JSONResponse({"name": "Homeport", "api": urls.api, "git": urls.git, "apps": urls.app_url("NAME")})
