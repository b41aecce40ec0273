"""The command table: every command, once. Parsing, help, completion and the documentation are all made from it."""

from __future__ import annotations

from homeport.cli.account_table import ACCOUNT_COMMANDS, ACCOUNT_TOPICS
from homeport.cli.addon_table import ADDON_COMMANDS, ADDON_TOPICS
from homeport.cli.apps_table import APP_COMMANDS, APP_TOPICS
from homeport.cli.buckets_table import BUCKET_COMMANDS, BUCKET_TOPICS
from homeport.cli.builds_table import BUILD_COMMANDS, BUILD_TOPICS
from homeport.cli.dynos_table import DYNO_COMMANDS, DYNO_TOPICS
from homeport.cli.error_table import ERROR_COMMANDS, ERROR_TOPICS
from homeport.cli.git_table import GIT_COMMANDS, GIT_TOPICS
from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.local_table import LOCAL_COMMANDS, LOCAL_TOPICS
from homeport.cli.pipelines_table import PIPELINE_COMMANDS, PIPELINE_TOPICS
from homeport.cli.platform_table import PLATFORM_COMMANDS, PLATFORM_TOPICS
from homeport.cli.redis_table import REDIS_COMMANDS, REDIS_TOPICS
from homeport.cli.scheduler_table import SCHEDULER_COMMANDS, SCHEDULER_TOPICS
from homeport.cli.settings_table import SETTING_COMMANDS, SETTING_TOPICS
from homeport.cli.vocabulary import JSON, LONG_JSON, command, some

TOPICS = {
    **APP_TOPICS,
    **ACCOUNT_TOPICS,
    **BUILD_TOPICS,
    **SETTING_TOPICS,
    **GIT_TOPICS,
    **DYNO_TOPICS,
    **ADDON_TOPICS,
    **BUCKET_TOPICS,
    **LOCAL_TOPICS,
    **PIPELINE_TOPICS,
    **REDIS_TOPICS,
    **PLATFORM_TOPICS,
    **ERROR_TOPICS,
    **SCHEDULER_TOPICS,
}

COMMANDS: tuple[Command, ...] = (
    *APP_COMMANDS,
    *ACCOUNT_COMMANDS,
    *BUILD_COMMANDS,
    *SETTING_COMMANDS,
    *GIT_COMMANDS,
    *DYNO_COMMANDS,
    *ADDON_COMMANDS,
    *BUCKET_COMMANDS,
    *LOCAL_COMMANDS,
    *PIPELINE_COMMANDS,
    *REDIS_COMMANDS,
    *ERROR_COMMANDS,
    *SCHEDULER_COMMANDS,
    *PLATFORM_COMMANDS,
    command(
        "new",
        "starters:new",
        "make an app to begin with; without a template: list them",
        Argument("template", "flask, flask-celery, django, flask-vue or fastapi", required=False),
        Argument("folder", "where to make it (default: my- and the template's name)", required=False),
        Flag("name", "name of the app (default: the folder's)", char="n", value="value"),
        LONG_JSON,
        examples=("new", "new flask my-app"),
        own=True,
    ),
    # about this command line
    command(
        "autocomplete",
        "autocomplete:autocomplete",
        "print completion for a shell: bash, zsh or fish",
        Argument("shell", "bash, zsh or fish (default: the one in $SHELL)", required=False),
        examples=("autocomplete bash",),
    ),
    command("commands", "help:list_commands", "list all commands", JSON),
    command("help", "help:help_page", "show how to use a command", some("command", "the command in question")),
    command("version", "help:version", "show the version"),
)

BY_NAME: dict[str, Command] = {name: row for row in COMMANDS for name in row.names}

# Topics of the official CLI that have no room here yet: said so, rather than guessed at as a misspelling.
ELSEWHERE = frozenset(
    """
    2fa accounts authorizations certs clients container dashboard data drains join leave lock members
    notifications orgs plugins reviewapps sessions spaces teams telemetry unlock update usage
    webhooks
    """.split()
)
