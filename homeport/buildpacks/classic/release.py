"""What `bin/release` answers, in YAML: https://devcenter.heroku.com/articles/buildpack-api#bin-release."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TYPE = re.compile(r"[A-Za-z0-9_-]{1,30}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOME = re.compile(r"(?<![\w/.-])/app(?=/|:|$)")


@dataclass(frozen=True)
class Metadata:
    """`config_vars` are defaults for dynos, in which `{app}` stands for their home folder."""

    process_types: dict[str, str] = field(default_factory=dict)
    config_vars: dict[str, str] = field(default_factory=dict)
    addons: list[str] = field(default_factory=list)


def parse(text: str) -> Metadata:
    """Pure. Raises ValueError for what is no YAML of this form; parts that make no sense are left out."""
    import yaml  # not at the top: only classic buildpacks need it

    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:300]) from error
    if document is None:
        return Metadata()
    if not isinstance(document, dict):
        raise ValueError("a mapping was expected")  # noqa: TRY004 - it is the text that is wrong
    addons = document.get("addons")
    return Metadata(
        process_types={
            name: command
            for name, command in _texts(document.get("default_process_types")).items()
            if _TYPE.fullmatch(name) and command.strip() and "\0" not in command
        },
        config_vars={
            name: _HOME.sub("{app}", value.replace("{app}", "").replace("{layer:", ""))
            for name, value in _texts(document.get("config_vars")).items()
            if _NAME.fullmatch(name) and "\0" not in value and name not in ("HOME", "PORT", "DYNO")
        },
        addons=[str(addon)[:100] for addon in addons if isinstance(addon, str)] if isinstance(addons, list) else [],
    )


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(key): str(text) for key, text in value.items() if isinstance(text, str | int | float)}
