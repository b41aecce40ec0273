"""Log sessions: `logs`, `logs --tail`. The URL that is handed out is its own key."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from homeport import logs
from homeport.api.exchange import Call, Reply, created
from homeport.api.shapes import stamp
from homeport.state import new_id, now


def create(call: Call, _session: Session) -> Reply:
    body = call.body
    lines = body.number("lines", least=0, most=1_000_000)
    token = call.core.log_sessions.issue(
        call.app.id,
        lines=100 if lines is None else lines,
        tail=body.flag("tail"),
        filter=logs.Filter(
            source=body.optional_text("source"),
            # The CLI sends `-p web` as dyno too; `dyno_name` and `type` are what the schema calls them.
            dyno=body.optional_text("dyno") or body.optional_text("dyno_name") or body.optional_text("type"),
        ),
    )
    at = stamp(now())
    url = call.core.urls.stream(f"/logs/{token}")
    return created({"id": new_id(), "logplex_url": url, "created_at": at, "updated_at": at})


async def stream(call: Call, request: Request) -> Response:
    """Server-sent events for who asks for them (the CLI, a browser's EventSource), plain lines for others."""
    session = call.core.log_sessions.open(call.params["session"])
    sse = "text/event-stream" in request.headers.get("accept", "")
    return StreamingResponse(
        logs.stream(call.core.logs, session, last_event_id=request.headers.get("last-event-id"), sse=sse),
        media_type="text/event-stream" if sse else "text/plain",
        headers={"Cache-Control": "no-store"},
    )
