"""`homeport config:edit`: config vars in an editor."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from homeport.cli import layout
from homeport.cli.call import Call
from homeport.cli.topics import config
from homeport.errors import HomeportError

_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
_ESCAPE = re.compile(r'\\(["\\$`!n])')


def edit(call: Call) -> None:
    key = call.argument
    with call.terminal.doing("Fetching config"):
        before = config.read(call)
    if key is None:
        after = parse(_edited(call, layout.shell_pairs(dict(sorted(before.items()))) + "\n"))
    else:
        text = _edited(call, before.get(key, ""))
        after = {**before, key: text if before.get(key, "").endswith("\n") else text.removesuffix("\n")}
    changes = differences(before, after)
    if not changes:
        call.terminal.warn("no changes to config")
        return
    _show(call, before, changes)
    if not call.terminal.agrees(f"Update config on {call.terminal.talk_ink.app(call.app)} with these values?"):
        call.terminal.say("Nothing was changed.")
        return
    with call.terminal.doing("Verifying new config"):
        if config.read(call) != before:
            raise HomeportError("config_changed", "Config changed on server. Refusing to update.", fix="Edit it again.")
    with call.terminal.doing("Updating config"):
        config.write(call, changes)


def parse(text: str) -> dict[str, str]:
    """The lines of the edited file; empty lines count for nothing. Raises `HomeportError` (`invalid_line`)."""
    found = {}
    for line in text.split("\n"):
        if not line:
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise HomeportError("invalid_line", f"Invalid line: {line}", fix="Lines look like KEY=VALUE.")
        found[name] = unquote(value)
    return found


def unquote(value: str) -> str:
    """The reverse of `layout.shell_quote`, and what else a shell would read as one word.

    Raises `HomeportError` (`invalid_value`).
    """
    if double := _DOUBLE_QUOTED.fullmatch(value):
        return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], double[1])
    if single := _SINGLE_QUOTED.fullmatch(value):
        return single[1]
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise HomeportError("invalid_value", f"Invalid value {value}: {error}") from error
    if len(words) > 1:
        raise HomeportError("invalid_value", f"Invalid value {value}: put it in quotes.")
    return words[0] if words else ""


def differences(before: dict[str, str], after: dict[str, str]) -> dict[str, str | None]:
    """What to send; None for a variable that is gone."""
    changes: dict[str, str | None] = {name: value for name, value in after.items() if before.get(name) != value}
    return {**changes, **{name: None for name in before if name not in after}}


def _show(call: Call, before: dict[str, str], changes: dict[str, str | None]) -> None:
    ink = call.terminal.ink
    call.terminal.out("\nConfig Diff:")
    for name in sorted(changes):
        if name in before:
            call.terminal.out(ink.failure(f"- {name}={layout.shell_quote(before[name])}"))
        value = changes[name]
        if value is not None:
            call.terminal.out(ink.success(f"+ {name}={layout.shell_quote(value)}"))
    call.terminal.out()
    call.terminal.stdout.flush()


def _edited(call: Call, text: str) -> str:
    """What a person makes of `text`. The file is private and is gone afterwards: it holds secrets."""
    import subprocess
    import tempfile

    editor = call.env.get("VISUAL") or call.env.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="homeport-config-") as folder:
        file = Path(folder) / f"{call.app}.sh"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as writing:
            writing.write(text)
        try:
            code = subprocess.run([*shlex.split(editor), str(file)], check=False).returncode
        except FileNotFoundError as error:
            raise HomeportError(
                "editor_missing", f"There is no editor {editor}.", fix="Name yours in VISUAL or EDITOR."
            ) from error
        if code:
            raise HomeportError("editor_failed", f"{editor} ended with exit code {code}. Nothing was changed.")
        with file.open(encoding="utf-8", newline="") as reading:
            return reading.read()
