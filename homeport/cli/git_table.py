"""The rows of the command table that concern git and SSH keys."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import APP, JSON, LONG_JSON, NEW_REMOTE, command, some

GIT_TOPICS = {
    "git": "set git remote and clone app repositories",
    "keys": "add/remove account ssh keys",
}

GIT_COMMANDS: tuple[Command, ...] = (
    # git
    command(
        "git:remote",
        "git:remote",
        "adds a git remote to an app repo; extra arguments go to git remote add",
        some("args"),
        APP,
        NEW_REMOTE,
        Flag("ssh", "push over SSH, with a key added by keys:add"),
        examples=(
            "git:remote -a example",
            "git:remote -a example --ssh",
            "git:remote --remote staging -a example-staging",
        ),
    ),
    command(
        "git:clone",
        "git:clone",
        "clones an app to your local machine at DIRECTORY (defaults to app name)",
        Argument("DIRECTORY", "where to clone the app", required=False),
        APP,
        NEW_REMOTE,
        examples=("git:clone -a example",),
    ),
    command(
        "git:known-hosts",
        "git:known_hosts",
        "print the platform's line for ~/.ssh/known_hosts",
        JSON,
        examples=("git:known-hosts >> ~/.ssh/known_hosts",),
        own=True,
    ),
    command(
        "git:credentials",
        "git:credentials",
        "answer git's question for credentials",
        Argument("command", "get, store or erase"),
        hidden=True,
    ),
    # keys
    command(
        "keys",
        "keys:list_keys",
        "display your SSH keys",
        LONG_JSON,
        Flag("long", "display full SSH keys", char="l"),
    ),
    command(
        "keys:add",
        "keys:add",
        "add an SSH key for a user",
        Argument("key", "path to the public key (default: the one in ~/.ssh)", required=False),
        Flag("yes", "do not ask", char="y"),
    ),
    command(
        "keys:remove",
        "keys:remove",
        "remove an SSH key from the user",
        Argument("key", "the key's comment, such as me@laptop"),
    ),
    command("keys:clear", "keys:clear", "remove all SSH keys for current user"),
)
