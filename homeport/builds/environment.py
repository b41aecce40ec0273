"""The environment of a build's commands: config vars, a little of the daemon's, and nothing else.

Of the daemon's environment only what a command needs to reach package registries through proxies and with the
right certificates is handed on. The daemon's own secrets stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from homeport.buildpacks import BUILD_PATH, Output

_FROM_DAEMON = frozenset({
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "TZ",
})  # fmt: skip
_REGISTRIES = re.compile(r"(PIP|UV|NPM_CONFIG)_[A-Za-z0-9_]+")
_NOT_REGISTRIES = re.compile(
    r"UV_(PUBLISH|CACHE|PYTHON|PROJECT|TOOL|WORKING|SYSTEM|TEST|INTERNAL|RUN|LOG|STACK|CREDENTIALS)\w*|UV"
    r"|PIP_(TARGET|PREFIX|ROOT|USER|REQUIREMENT|CONSTRAINT|LOG|PYTHON|REQUIRE_VIRTUALENV|CACHE_DIR|SRC)"
)

# Config vars that would break the build's own programs; Heroku leaves much the same ones out.
_NOT_FROM_CONFIG = frozenset({
    "PATH", "HOME", "PWD", "TMPDIR", "SHELL", "IFS", "ENV", "BASH_ENV", "LD_PRELOAD", "LD_LIBRARY_PATH",
    "LD_AUDIT", "LIBRARY_PATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "VIRTUAL_ENV", "GIT_DIR",
    "GIT_WORK_TREE", "UV_CACHE_DIR", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "BUILD_DIR", "CACHE_DIR", "ENV_DIR",
})  # fmt: skip


def build_environment(
    config: Mapping[str, str],
    daemon: Mapping[str, str],
    *,
    home: Path,
    temporary: Path,
    cache: Path,
    source: Path,
    commit: str | None,
) -> dict[str, str]:
    """The complete environment of a build's commands. Config vars win over the daemon's registry settings."""
    env = {name: value for name, value in daemon.items() if _handed_on(name)}
    env |= {name: value for name, value in config.items() if name not in _NOT_FROM_CONFIG}
    env |= {
        "PATH": BUILD_PATH,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "BUILD_DIR": str(source),
        "CACHE_DIR": str(cache),
        "SOURCE_VERSION": commit or "",
        "GIT_TERMINAL_PROMPT": "0",  # a private repository must fail, not wait for somebody to type
        "GIT_SSH_COMMAND": config.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
        "CI": config.get("CI", ""),
        "LANG": config.get("LANG", "C.UTF-8"),
    }
    return {name: value for name, value in env.items() if value or name in config}


def _handed_on(name: str) -> bool:
    return name in _FROM_DAEMON or (_REGISTRIES.fullmatch(name) is not None and _NOT_REGISTRIES.fullmatch(name) is None)


_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE|DSN|SALT")
_PASSWORD_IN_URL = re.compile(r"://[^/@:\s]*:([^/@\s]+)@")
_SHORTEST = 6  # shorter values are words like "1" or "debug", which would be cut out of everything


def secrets_in(config: Mapping[str, str]) -> list[str]:
    """The values that must not appear in build output: those named like secrets, and passwords within URLs."""
    found = set()
    for name, value in config.items():
        found.update(_PASSWORD_IN_URL.findall(value))
        if _SECRET_NAME.search(name.upper()):
            found.update(line for line in value.splitlines() if "://" not in line)
    return sorted((secret for secret in found if len(secret) >= _SHORTEST), key=len, reverse=True)


def masked(out: Output, config: Mapping[str, str]) -> Callable[[str], None]:
    """The same output with secrets replaced, should a hook or a traceback print one."""
    secrets = secrets_in(config)
    if not secrets:
        return out
    pattern = re.compile("|".join(re.escape(secret) for secret in secrets))
    return lambda line: out(pattern.sub("[hidden]", line))
