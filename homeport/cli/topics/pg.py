"""`homeport pg`: databases by the Data API; what is asked of their contents, by `psql`."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from homeport.cli import layout
from homeport.cli.api import SDK, path
from homeport.cli.call import Call
from homeport.cli.confirmation import confirm
from homeport.cli.errors import ApiError
from homeport.cli.topics import releases
from homeport.cli.topics.pg_transfers import follow
from homeport.errors import HomeportError

Item = dict[str, Any]

WAIT_SECONDS = 2.0
SERVICE = "heroku-postgresql"
INCLUDED = {"Accept-Inclusion": "addon:plan,config_vars"}


def info(call: Call) -> None:
    addons = [find(call, call.argument)["addon"]] if call.argument else databases(call)
    if not addons:
        call.terminal.out(f"{call.app} has no heroku-postgresql databases.")
        return
    attached = _attachments(call)
    found = [call.api.get(database(addon)) for addon in addons]
    if call.has("json"):
        call.terminal.json(found)
        return
    ink = call.terminal.ink
    for addon, facts in zip(addons, found, strict=True):
        names = sorted(f"{item['name']}_URL" for item in attached if item["addon"]["id"] == addon["id"])
        call.terminal.out(layout.header(", ".join(ink.name(name) for name in names) or addon["name"], ink))
        rows = [(fact["name"], ", ".join(map(str, fact["values"]))) for fact in facts["info"] if fact["values"]]
        call.terminal.out(layout.pairs([*rows, ("Add-on", addon["name"])], ink))
        call.terminal.out()


def wait(call: Call) -> None:
    for addon in [find(call, call.argument)["addon"]] if call.argument else databases(call):
        status = call.api.get(database(addon, "wait_status"))
        if not status["waiting?"]:
            continue
        with call.terminal.doing(f"Waiting for database {call.terminal.talk_ink.name(addon['name'])}") as doing:
            while status["waiting?"]:
                call.world.sleep(WAIT_SECONDS)
                status = call.api.get(database(addon, "wait_status"))
            doing.done = status["message"]


def psql(call: Call) -> int:
    attachment = find(call, call.argument)
    call.terminal.say(f"--> Connecting to {call.terminal.talk_ink.name(attachment['addon']['name'])}")
    arguments = ["-c", call.option("command")] if call.option("command") else []
    arguments += ["-f", call.option("file")] if call.option("file") else []
    words = [str(word) for word in arguments or _at_a_prompt(attachment)]
    return run_tool(call, "psql", words, url_of(call, attachment))


def promote(call: Call) -> None:
    attachment = find(call, call.arguments[0])
    addon, talk = attachment["addon"], call.terminal.talk_ink
    attached = _attachments(call)
    current = next((item for item in attached if item["name"] == "DATABASE"), None)
    if current is not None and current["addon"]["id"] == addon["id"]:
        raise HomeportError("already_promoted", f"{addon['name']} is already promoted on {call.app}")
    if current is not None:
        with call.terminal.doing(f"Ensuring an alternate alias for existing {talk.name('DATABASE_URL')}") as doing:
            same = [item for item in attached if item["addon"]["id"] == current["addon"]["id"] and item is not current]
            body = {"addon": current["addon"]["id"], "app": call.app, "confirm": call.app}
            doing.done = f"{(same[0] if same else call.api.post('/addon-attachments', body))['name']}_URL"
    with call.terminal.doing(f"Promoting {talk.name(addon['name'])} to DATABASE_URL on {talk.app(call.app)}"):
        body = {"addon": addon["id"], "app": call.app, "confirm": call.app, "name": "DATABASE"}
        call.api.post("/addon-attachments", body)
    made = call.api.newest(path("apps", call.app, "releases"), 1, by="version")[0]
    if made["status"] != "succeeded":
        with call.terminal.doing("Checking release phase") as doing:
            releases.require_success(call, releases.until_over(call, made))
            doing.done = "pg:promote succeeded."


def list_credentials(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    found = call.api.get(path("postgres", "v0", "databases", addon["id"], "credentials"))
    if call.has("json"):
        call.terminal.json(found)
        return
    names = [item["name"] for item in call.api.get(path("addons", addon["id"], "addon-attachments"))]
    rows = [(f"{item['name']} (as {', '.join(sorted(names))})", item["state"]) for item in found]
    call.terminal.out(layout.table(("Credential", "State"), rows))


def credentials_url(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    found = call.api.get(
        path("postgres", "v0", "databases", addon["id"], "credentials", call.option("name") or "default")
    )
    login = found["credentials"][0]
    where = f"dbname={found['database']} host={found['host']} port={found['port']}"
    call.terminal.out(f"Connection information for {found['name']} credential.")
    call.terminal.out("Connection info string:")
    call.terminal.out(f'  "{where} user={login["user"]} password={login["password"]} sslmode=require"')
    call.terminal.out("Connection URL:")
    url = f"{login['user']}:{login['password']}@{found['host']}:{found['port']}/{found['database']}"
    call.terminal.out(f"  postgres://{url}")


def rotate(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    confirm(call, call.app, "The password for the default credential will rotate. Connections end and apps restart.")
    name = call.option("name") or "default"
    with call.terminal.doing(f"Rotating {name} on {call.terminal.talk_ink.name(addon['name'])}"):
        call.api.post(path("postgres", "v0", "databases", addon["id"], "credentials", name, "credentials_rotation"))


def reset(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    confirm(call, call.app, f"{addon['name']} will lose all of its data.")
    with call.terminal.doing(f"Resetting {call.terminal.talk_ink.name(addon['name'])}"):
        call.api.put(database(addon, "reset"), {"extensions": extensions(call)})


def kill_all(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    with call.terminal.doing("Terminating connections for all credentials"):
        call.api.post(database(addon, "connection_reset"))


def reset_statistics(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    call.terminal.out(call.api.put(database(addon, "stats_reset"), {})["message"])


def copy(call: Call) -> None:
    source, target = (_end_of_copy(call, word) for word in call.arguments)
    if source["url"] == target["url"]:
        raise HomeportError("same_database", "Cannot copy database onto itself")
    addon = target["addon"] or source["addon"]
    if addon is None:
        raise HomeportError("no_own_database", "Source or target must be a database of this platform.")
    confirm(
        call, target["name"], f"This will remove all data from {target['name']}, then fill it from {source['name']}."
    )
    with call.terminal.doing(f"Starting copy of {source['name']} to {target['name']}"):
        body = {
            "from_name": source["name"],
            "from_url": source["url"],
            "to_name": target["name"],
            "to_url": target["url"],
        }
        transfer = call.api.post(database(addon, "transfers"), body)
    follow(call, addon["app"]["name"], transfer, "Copying")


def push(call: Call) -> int:
    source, target = call.arguments
    attachment = find(call, target)
    call.terminal.say(f"Pushing {source} to {attachment['addon']['name']}")
    url = url_of(call, attachment)
    if output(call, url, "SELECT count(*) FROM pg_stat_user_tables") != "0":
        raise HomeportError(
            "not_empty", "The database is not empty.", fix=f"Empty it first: homeport pg:reset {target}"
        )
    return _pipe(call, _as_url(source), url)


def pull(call: Call) -> int:
    source, target = call.arguments
    attachment = find(call, source)
    call.terminal.say(f"Pulling {attachment['addon']['name']} to {target}")
    if "://" not in target and subprocess.run(["createdb", target], check=False).returncode != 0:
        raise HomeportError(
            "no_target",
            f"The local database {target} could not be created.",
            fix=f"Is it there already? dropdb {target}",
        )
    return _pipe(call, url_of(call, attachment), _as_url(target))


def upgrade_run(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    confirm(call, call.app, f"{addon['name']} moves to another version of PostgreSQL; apps can't reach it meanwhile.")
    _upgrade(call, addon, "run", "Starting upgrade on")
    upgrade_wait(call)


def upgrade_dry_run(call: Call) -> None:
    _upgrade(call, find(call, call.argument)["addon"], "dry_run", "Starting a test upgrade of")
    upgrade_wait(call)


def upgrade_wait(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    status = call.api.get(database(addon, "upgrade", "wait_status"))
    with call.terminal.doing(f"Waiting for {call.terminal.talk_ink.name(addon['name'])}") as doing:
        while status["waiting?"]:
            call.world.sleep(WAIT_SECONDS)
            status = call.api.get(database(addon, "upgrade", "wait_status"))
        if status.get("error?"):
            raise HomeportError("upgrade_failed", status["message"])
        doing.done = status["message"]


def _upgrade(call: Call, addon: Item, step: str, words: str) -> None:
    with call.terminal.doing(f"{words} {call.terminal.talk_ink.name(addon['name'])}"):
        call.api.post(database(addon, "upgrade", step), {"version": call.option("version")})


# What the other pg modules share.


def find(call: Call, name: str | None = None) -> Item:
    """The attachment of a database by its name, its config var's or its add-on's; DATABASE by default.

    Raises `HomeportError` (`unknown_database`) with the names that there are.
    """
    asked = {"addon_attachment": name or "DATABASE_URL", "app": call.app, "addon_service": SERVICE}
    try:
        found: list[Item] = call.api.request(
            "POST", "/actions/addon-attachments/resolve", asked, accept=SDK, headers=INCLUDED
        )[0]
    except ApiError as error:
        if error.status != 404 or error.resource == "app":
            raise
        names = ", ".join(sorted(item["name"] for item in _attachments(call)))
        if not names:
            fix = f"Create one: homeport addons:create heroku-postgresql -a {call.app}"
            raise HomeportError("unknown_database", f"{call.app} has no databases", fix=fix) from None
        wanted = (name or "DATABASE").removesuffix("_URL")
        raise HomeportError("unknown_database", f"Unknown database: {wanted}. Valid options are: {names}") from None
    return found[0]


def databases(call: Call) -> list[Item]:
    """The add-ons of all databases that are attached to the app."""
    found = {item["addon"]["id"]: item["addon"] for item in _attachments(call)}
    return list(found.values())


def database(addon: Item, *rest: str) -> str:
    return path("client", "v11", "databases", addon["id"], *rest)


def extensions(call: Call) -> list[str] | None:
    listed = call.option("extensions")
    return [word.strip() for word in listed.split(",") if word.strip()] if listed else None


def url_of(call: Call, attachment: Item) -> str:
    variables: dict[str, str] = call.api.get(path("apps", attachment["app"]["name"], "config-vars"))
    return variables[attachment["config_vars"][0]]


def run_tool(call: Call, program: str, arguments: Sequence[str], url: str, **options: Any) -> int:
    """Run one of PostgreSQL's programs on a database, and return its exit code."""
    try:
        return subprocess.run([program, *arguments], env={**call.env, **_login(url)}, check=False, **options).returncode
    except FileNotFoundError:
        raise _missing(program) from None


def query(call: Call, url: str, statement: str) -> int:
    return run_tool(call, "psql", ["--no-psqlrc", "--pset=pager=off", "-c", statement], url)


def _at_a_prompt(attachment: Item) -> list[str]:
    """Whose data somebody is about to change, in the official CLI's words (`demo::DATABASE=> `)."""
    prompt = f"{attachment['app']['name']}::{attachment['name']}%R%# "
    return ["--set", f"PROMPT1={prompt}", "--set", f"PROMPT2={prompt}"]


def _attachments(call: Call) -> list[Item]:
    found = call.api.request("GET", path("apps", call.app, "addon-attachments"), headers=INCLUDED)[0]
    return [item for item in found if item["addon"]["plan"]["name"].startswith(f"{SERVICE}:")]


def _end_of_copy(call: Call, word: str) -> Item:
    if word.startswith(("postgres://", "postgresql://")):
        parts = urlsplit(word)
        return {"addon": None, "name": f"{parts.path[1:]} on {parts.hostname}", "url": word}
    attachment = find(call, word)
    return {"addon": attachment["addon"], "name": attachment["name"], "url": url_of(call, attachment)}


def _as_url(word: str) -> str:
    """A URL, or the name of a database on this machine."""
    return word if "://" in word else f"postgres:///{word}"


def _login(url: str) -> dict[str, str]:
    """By the environment: a password on a command line is everybody's to read."""
    parts = urlsplit(url)
    values = {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port) if parts.port else None,
        "PGUSER": unquote(parts.username) if parts.username else None,
        "PGPASSWORD": unquote(parts.password) if parts.password else None,
        "PGDATABASE": unquote(parts.path[1:]),
        "PGSSLMODE": "require" if parts.hostname not in (None, "localhost") else "prefer",
    }
    return {name: value for name, value in values.items() if value}


def output(call: Call, url: str, statement: str) -> str:
    try:
        done = subprocess.run(
            ["psql", "--no-psqlrc", "-At", "-c", statement],
            env={**call.env, **_login(url)},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise _missing("psql") from None
    if done.returncode != 0:
        raise HomeportError("psql_failed", done.stderr.strip())
    return done.stdout.strip()


def _pipe(call: Call, source: str, target: str) -> int:
    """pg_dump of the one into pg_restore of the other; the first exit code that isn't 0."""
    name = _login(target)["PGDATABASE"]
    try:
        dump = subprocess.Popen(
            ["pg_dump", "--format=custom", "--compress=0"], env={**call.env, **_login(source)}, stdout=subprocess.PIPE
        )
    except FileNotFoundError:
        raise _missing("pg_dump") from None
    with dump:
        code = run_tool(call, "pg_restore", ["--no-owner", "--no-acl", f"--dbname={name}"], target, stdin=dump.stdout)
    return dump.returncode or code


def _missing(program: str) -> HomeportError:
    return HomeportError(
        "program_missing",
        f"{program} is not installed here.",
        fix="Install PostgreSQL's client programs, on Debian and Ubuntu: sudo apt-get install postgresql-client",
    )
