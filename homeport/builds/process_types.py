"""Which process types a slug has: the Procfile's, or the buildpack's guess, said aloud."""

from __future__ import annotations

from pathlib import Path

from homeport.buildpacks import Compiled, Voice, read_procfile


def discover(source: Path, compiled: Compiled, voice: Voice) -> dict[str, str]:
    """Commands by process type. Raises `BuildFailed` for a Procfile that cannot be used."""
    procfile = read_procfile(source)
    voice.step("Discovering process types")
    types = dict(compiled.process_types) if procfile is None else procfile.process_types
    voice.detail(f"Procfile declares types -> {', '.join(types) or '(none)'}" if procfile else _guessed(types))
    for warning in procfile.warnings if procfile else filter(None, [compiled.caution]):
        voice.warning(warning)
    if procfile is not None and not types:
        voice.warning(
            "Your Procfile is empty, so nothing will run.\n\n"
            "Write one line for each process type, for example:\n\n  web: gunicorn app:app"
        )
    return types


def _guessed(types: dict[str, str]) -> str:
    if not types:
        return "Procfile declares types -> (none)"
    lines = [f"  {name}: {command}" for name, command in types.items()]
    return "\n".join(["No Procfile; running what this app looks like:", *lines])
