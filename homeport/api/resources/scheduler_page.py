"""Where `addons:open scheduler` leads: an app's jobs, their last runs, and the commands that change them.

Whoever opens it shows no token, so the URL is the key (docs/decisions/0083-urls-that-are-their-own-key.md): it is told
to those who may look at the app, and worth nothing after a restart of the platform. The page only shows.
"""

from __future__ import annotations

from datetime import datetime
from html import escape

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from homeport import scheduler
from homeport.api.exchange import Call
from homeport.errors import NotFound
from homeport.scheduler import SERVICE
from homeport.state import Addon, JobRun

_PURPOSE = "scheduler page"
_RUNS = 20

_COMMANDS = (
    (
        "Run a command every day",
        'homeport scheduler:add "python manage.py clearsessions" --every day --at 04:30 -a {app}',
    ),
    ("Every 10 minutes, or every hour", 'homeport scheduler:add "python sync.py" --every 10m -a {app}'),
    (
        "At any time, by any clock",
        "homeport scheduler:add \"python report.py\" --cron '0 8 * * 1-5' --timezone Europe/Berlin -a {app}",
    ),
    ("Change, try, remove one", "homeport scheduler:update|run|remove JOB -a {app}"),
    ("See what a run has said", "homeport scheduler:logs JOB -a {app}"),
)

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Scheduler of {app}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.55 system-ui, sans-serif; margin: 0 auto; padding: 3rem 1.5rem; max-width: 60rem; }}
div {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; margin-bottom: 2rem; }}
th, td {{ text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8886; vertical-align: top; }}
th, dt {{ font-weight: 400; opacity: .75; }}
dd {{ margin: .15rem 0 1rem; padding: .6rem .8rem; border: 1px solid #8886; border-radius: 8px; }}
code {{ font: .92rem ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }}
</style>
<main>
<h1>Scheduler of {app}</h1>
<h2>Jobs</h2>
{jobs}
<h2>Last runs</h2>
{runs}
<h2>In a terminal</h2>
<dl>
{commands}
</dl>
</main>
</html>
"""


def url(call: Call, addon: Addon) -> str:
    return call.core.urls.stream(f"/help/scheduler/{addon.id}/{call.core.capabilities.sign(_PURPOSE, addon.id)}")


async def page(call: Call, _request: Request) -> Response:
    addon_id = call.params["addon"]
    if not call.core.capabilities.allows(call.params["key"], _PURPOSE, addon_id):
        raise NotFound(
            "page", "This address is not valid any more.", fix="Open a new one: `heroku addons:open scheduler`."
        )
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
    policy["Referrer-Policy"] = "no-referrer"
    return HTMLResponse(await call.core.database.run(_render, addon_id), headers=policy)


def _render(session: Session, addon_id: str) -> str:
    addon = session.get(Addon, addon_id)
    if addon is None or addon.app is None or addon.service != SERVICE:
        raise NotFound("add_on", "This scheduler is gone.")
    app = addon.app
    jobs = [
        [
            escape(job.name),
            f"<code>{escape(job.command)}</code>",
            escape(str(scheduler.schedule_of(job))),
            _moment(job.next_at),
            _outcome(scheduler.latest(session, job)),
        ]
        for job in scheduler.jobs(session, app)
    ]
    runs = [
        [
            escape(run.job_name),
            _moment(run.due_at) or "by hand",
            _moment(run.started_at),
            _outcome(run),
            escape(run.dyno or run.detail),
        ]
        for run in scheduler.history(session, app, newest=_RUNS)
    ]
    commands = "\n".join(
        f"<dt>{what}</dt>\n<dd><code>{escape(how.format(app=app.name))}</code></dd>" for what, how in _COMMANDS
    )
    return _PAGE.format(
        app=escape(app.name),
        jobs=_table(["Job", "Command", "Schedule", "Next run", "Last run"], jobs, "There are none yet."),
        runs=_table(["Job", "Due", "Started", "Outcome", "Dyno"], runs, "Nothing has run yet."),
        commands=commands,
    )


def _table(columns: list[str], rows: list[list[str]], otherwise: str) -> str:
    """Cells are HTML already."""
    if not rows:
        return f"<p>{otherwise}</p>"
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div><table>\n<tr>{head}</tr>\n{body}\n</table></div>"


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if at is not None else ""


def _outcome(run: JobRun | None) -> str:
    if run is None:
        return ""
    times = f" {run.times} times" if run.times > 1 else ""
    return f"{escape(run.status)}{times}{f' ({run.exit_code})' if run.exit_code else ''}"
