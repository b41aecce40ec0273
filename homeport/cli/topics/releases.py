"""`homeport releases`, `releases:info`, `releases:output`, `releases:retry`, `rollback`."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.api import SDK, path
from homeport.cli.call import Call
from homeport.cli.errors import ApiError
from homeport.cli.ink import Ink, width
from homeport.cli.passthrough import copy
from homeport.errors import HomeportError

SHOWN = 15
LOOKED_AT = 10  # as many as the official CLI looks through for one to go back to
POLL_SECONDS = 1.0
_STATES = {"expired": "release expired", "failed": "release command failed", "pending": "release command executing"}


def list_releases(call: Call) -> None:
    releases = call.api.newest(
        path("apps", call.app, "releases"), call.number("num") or SHOWN, by="version", accept=SDK
    )
    if call.has("json"):
        call.terminal.json(releases)
        return
    ink = call.terminal.ink
    if not releases:
        call.terminal.out(f"{ink.app(call.app)} has no releases.")
        return
    current = next((release for release in releases if release.get("current")), None)
    title = f"{ink.app(call.app)} Releases"
    if current:
        title += " - " + ink.name(f"Current: v{current['version']}")
    call.terminal.out(layout.header(title, ink))
    now = call.world.now()
    ordered = sorted(releases, key=lambda release: -release["version"])
    beside = [_beside(release, layout.ago(release["created_at"], now), ink) for release in ordered]
    room = _room(call.terminal.columns, beside)
    rows = [
        (version, _description(release, room, ink), user, age)
        for release, (version, user, age) in zip(ordered, beside, strict=True)
    ]
    call.terminal.out(layout.table(("v", "description", "user", "created_at"), rows))


def _beside(release: dict[str, Any], age: str, ink: Ink) -> tuple[str, str, str]:
    """The columns that are never shortened: version, user and age."""
    return _paint(release, f"v{release['version']}", ink), ink.user((release.get("user") or {}).get("email") or ""), age


def _room(columns: int | None, beside: list[tuple[str, str, str]]) -> int | None:
    """How wide a description may be on this terminal; None: as wide as it likes."""
    if columns is None:
        return None
    taken = (
        sum(max(width(row[column]) for row in beside) + 3 for column in range(3)) + 3
    )  # the indent, and the rule that is a character longer
    return max(columns - taken, 20)


def _description(release: dict[str, Any], room: int | None, ink: Ink) -> str:
    text, state = release["description"] or "", _STATES.get(release["status"], "")
    if room is not None:
        text = layout.shortened(text, room - (len(state) + 1 if state else 0))
    return f"{text} {_paint(release, state, ink)}" if state else text


def _paint(release: dict[str, Any], text: str, ink: Ink) -> str:
    painters = {"expired": ink.dim, "failed": ink.failure, "pending": ink.warning}
    return painters.get(release["status"], ink.name)(text)


def info(call: Call) -> None:
    release = _latest_or(call, call.argument)
    if call.has("json"):
        call.terminal.json(release)
        return
    version = f"v{release['version']}"
    variables = call.api.get(path("apps", call.app, "releases", str(release["version"]), "config-vars"))
    ink = call.terminal.ink
    change, state = release["description"], _STATES.get(release["status"], "")
    if state:
        change += f" ({_paint(release, state, ink)})"
    facts = [
        ("Add-ons", release.get("addon_plan_names")),
        ("By", ink.user((release.get("user") or {}).get("email") or "")),
        ("Change", change),
        ("Eligible for Rollback?", "Yes" if release.get("eligible_for_rollback") else "No"),
        ("When", release["created_at"]),
    ]
    call.terminal.out(layout.header(f"Release {ink.name(version)}", ink))
    call.terminal.out(layout.pairs(facts, ink))
    call.terminal.out()
    call.terminal.out(layout.header(f"{ink.name(version)} Config vars", ink))
    if call.has("shell"):
        if variables:
            call.terminal.out(layout.shell_pairs(variables))
    else:
        call.terminal.out(layout.pairs(variables.items(), ink))


def output(call: Call) -> None:
    release = _latest_or(call, call.argument)
    url = release.get("output_stream_url")
    if not url:
        call.terminal.warn(f"Release v{release['version']} has no release output available.")
        return
    _copy_output(call, url, "Release command not started yet. Please try again in a few seconds.")


def rollback(call: Call) -> None:
    newest = call.api.newest(path("apps", call.app, "releases"), LOOKED_AT, by="version", accept=SDK)
    if call.argument:
        target = _release(call, call.argument)
    else:
        eligible = [release for release in newest if release.get("eligible_for_rollback")]
        if len(eligible) < 2:
            raise HomeportError("no_eligible_release", f"No eligible release found for {call.app} to roll back to.")
        target = eligible[1]
    ink = call.terminal.talk_ink
    version = ink.success(f"v{target['version']}")
    with call.terminal.doing(f"Rolling back {ink.app(call.app)} to {version}") as doing:
        made = call.api.post(path("apps", call.app, "releases"), {"release": target["id"]}, accept=SDK)
        new_version = ink.success(f"v{made['version']}")
        doing.done = f"done, {new_version}"
    call.terminal.warn("Rollback affects code and config vars; it doesn't add or remove addons.")
    if (before := next((release["version"] for release in newest if release["current"]), None)) is not None:
        # The official CLI takes the release before this one, which may have failed: nobody can go back to that.
        call.terminal.warn(f"To undo, run: {ink.code(f'homeport rollback v{before}')}")
    _show_command(call, made)


def retry(call: Call) -> None:
    last = _latest_or(call, None)
    formation = call.api.get(path("apps", call.app, "formation"))
    if not any(process["type"] == "release" for process in formation):
        raise HomeportError("no_release_command", "App must have a release-phase command to use this command.")
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Retrying {ink.name('v' + str(last['version']))} on {ink.app(call.app)}") as doing:
        wish = {
            "description": f"Retry of v{last['version']}: {last['description']}",
            "slug": (last.get("slug") or {}).get("id"),
        }
        made = call.api.post(path("apps", call.app, "releases"), wish, accept=SDK)
        doing.done = f"done, {ink.name('v' + str(made['version']))}"
    _show_command(call, made)


def until_over(call: Call, release: dict[str, Any]) -> dict[str, Any]:
    """The release, once it is no longer pending."""
    while release["status"] == "pending":
        call.world.sleep(POLL_SECONDS)
        release = _release(call, str(release["version"]))
    return release


def _show_command(call: Call, made: dict[str, Any]) -> None:
    """What the command of a new release says. Raises `HomeportError` when it fails: the official CLI does not."""
    if not made.get("output_stream_url"):
        return
    call.terminal.out("Running release command...")
    starting = "Release command starting. Use `homeport releases:output` to view the log."
    if _copy_output(call, made["output_stream_url"], starting):
        require_success(call, until_over(call, _release(call, str(made["version"]))))


def require_success(call: Call, release: dict[str, Any]) -> None:
    """Raises `HomeportError` for a release that has failed."""
    if release["status"] == "failed":
        raise HomeportError(
            "release_command_failed",
            f"v{release['version']} failed: {release['description']}.",
            why="Its release command did not succeed, so what ran before goes on as it was.",
            fix=f"`homeport releases:output v{release['version']} -a {call.app}` shows what it said.",
        )


def _copy_output(call: Call, url: str, not_yet: str) -> bool:
    """Whether there was any yet."""
    try:
        copy(call, url)
    except ApiError as error:
        if error.status != 404:
            raise
        call.terminal.warn(not_yet)
        return False
    return True


def _latest_or(call: Call, version: str | None) -> dict[str, Any]:
    if version:
        return _release(call, version)
    newest: list[dict[str, Any]] = call.api.newest(
        path("apps", call.app, "releases"), LOOKED_AT, by="version", accept=SDK
    )
    if not newest:
        raise HomeportError("no_releases", f"{call.app} has no releases.")
    return newest[0]


def _release(call: Call, version: str) -> dict[str, Any]:
    """By version (`12`, `v12`) or id."""
    number = version[1:] if version[:1] in "vV" and version[1:].isdecimal() else version
    found: dict[str, Any] = call.api.get(path("apps", call.app, "releases", number), accept=SDK)
    return found
