"""Where `addons:open sentry` leads: how an app sends its errors, and where they are seen."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from homeport.api.exchange import Call

PATH = "/help/errors"

_STEPS = (
    ("Send errors: add this package to the app's requirements", "sentry-sdk"),
    ("Begin with it where the app begins; SENTRY_DSN is set already", "import sentry_sdk; sentry_sdk.init()"),
    ("See what went wrong", "homeport errors -a APP"),
    ("Look at one error, its traceback and what led to it", "homeport errors:info APP-1 -a APP"),
    ("Say that it is mended; should it come back, you are told", "homeport errors:resolve APP-1 -a APP"),
)

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Error tracking</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.55 system-ui, sans-serif; margin: 0 auto; padding: 3rem 1.5rem; max-width: 40rem; }}
dt {{ opacity: .75; }}
dd {{ margin: .15rem 0 1rem; padding: .6rem .8rem; border: 1px solid #8886; border-radius: 8px; }}
code {{ font: .92rem ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }}
</style>
<main>
<h1>Error tracking</h1>
<p>Issues are shown in the terminal. Tracebacks that an app prints into its log become issues too, without a line of
code.</p>
<dl>
{steps}
</dl>
</main>
</html>
"""


async def page(_call: Call, request: Request) -> Response:
    """Says nothing of any app: whoever opens it shows no token."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse([{"what": what, "how": how} for what, how in _STEPS])
    steps = "\n".join(f"<dt>{what}</dt>\n<dd><code>{how}</code></dd>" for what, how in _STEPS)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return HTMLResponse(_PAGE.format(steps=steps), headers={"Content-Security-Policy": policy})
