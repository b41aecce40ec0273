"""`homeport env`: what the official CLI, git, curl and the Heroku client libraries need in this shell.

Why each line is there is measured in the official CLI (11.x): the API host must be exactly `localhost` or `127.0.0.1`
for the CLI to send its token by itself, and every service that it would otherwise send the token to is pointed here.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from homeport.daemon.endpoint import Endpoint


def variables(endpoint: Endpoint, token: str) -> dict[str, str]:
    """Names and values to export."""
    host = endpoint.host.partition(":")[0]
    settings = {
        "HEROKU_HOST": endpoint.url,
        "HEROKU_API_KEY": token,
        "HEROKU_API_URL": endpoint.url,  # heroku-go, Terraform
        "HEROKU_GIT_HOST": endpoint.host,
        "HEROKU_DATA_HOST": host,
        "PGDIAGNOSE_URL": host,  # `pg:diagnose` sends the database's URL there, password and all
        "HEROKU_PARTICLEBOARD_URL": endpoint.url,
        "HEROKU_LOGIN_HOST": endpoint.url,
        "HEROKU_BUILDPACK_REGISTRY_URL": endpoint.url,
        "HEROKU_ANALYTICS_URL": endpoint.url,
        "HEROKU_NETRC_WRITE": "true",  # never the desktop's keychain, which is not told apart by host
        "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
        "HEROKU_DISABLE_AUTOUPDATE": "1",
        "DISABLE_TELEMETRY": "true",
        "NODE_EXTRA_CA_CERTS": endpoint.bundle,
        "GIT_SSL_CAINFO": endpoint.bundle,
        "CURL_CA_BUNDLE": endpoint.bundle,
        "REQUESTS_CA_BUNDLE": endpoint.bundle,
        "SSL_CERT_FILE": endpoint.bundle,
    }
    if host not in ("localhost", "127.0.0.1"):
        settings["HEROKU_HEADERS"] = json.dumps({"authorization": f"Bearer {token}"})
    return settings


def exports(endpoint: Endpoint, token: str, *, program: Path | None) -> str:
    """Shell code for `eval`. `program` is the folder that holds `homeport`, put on PATH if it is not there."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables(endpoint, token).items()]
    if program is not None:
        folder = shlex.quote(str(program))
        lines.append(f'case ":$PATH:" in *:{folder}:*) ;; *) export PATH={folder}:"$PATH" ;; esac')
    # git asks this helper for the token, and only for our host. The empty entry before it removes the one that the
    # official CLI writes into the user's configuration: that starts Node twice a push, which takes two seconds.
    setting = f"credential.{endpoint.url}.helper"
    helper = '!f() { test "$1" = get && printf "username=heroku\\npassword=%s\\n" "$HEROKU_API_KEY"; }; f'
    lines.append("export GIT_CONFIG_COUNT=2")
    for index, value in enumerate(("", helper)):
        lines.append(f"export GIT_CONFIG_KEY_{index}={shlex.quote(setting)}")
        lines.append(f"export GIT_CONFIG_VALUE_{index}={shlex.quote(value)}")
    return "\n".join(lines) + "\n"
