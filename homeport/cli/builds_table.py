"""The rows of the command table that concern how apps are built and tested."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command
from homeport.cli.vocabulary import BUILD, BUILDPACK, INDEX, JSON, LONG_JSON, num, on_app

BUILD_TOPICS = {
    "builds": "manage the builds of apps",
    "buildpacks": "scripts used to compile apps",
    "ci": "run the tests of an app",
}

BUILD_COMMANDS: tuple[Command, ...] = (
    # buildpacks
    on_app("buildpacks", "buildpacks:list_buildpacks", "list the buildpacks on an app", JSON),
    on_app("buildpacks:add", "buildpacks:add", "add a buildpack, last or at --index", BUILDPACK, INDEX, JSON),
    on_app(
        "buildpacks:set",
        "buildpacks:set_buildpack",
        "set the buildpack, the first one or the one at --index",
        BUILDPACK,
        INDEX,
        JSON,
        examples=("buildpacks:set heroku/python -a example",),
    ),
    on_app(
        "buildpacks:remove",
        "buildpacks:remove",
        "remove a buildpack by its URL or --index",
        Argument("buildpack", "URL or namespace/name of the buildpack", required=False),
        INDEX,
        JSON,
    ),
    on_app("buildpacks:clear", "buildpacks:clear", "clear all buildpacks set on the app", JSON),
    # builds
    on_app("builds", "builds:list_builds", "list the builds of an app", num("number of builds to show"), LONG_JSON),
    on_app("builds:info", "builds:info", "view a build", BUILD, LONG_JSON),
    on_app("builds:output", "builds:output", "show a build's output, as it comes", BUILD),
    on_app("builds:cancel", "builds:cancel", "cancel a build", BUILD),
    # ci
    on_app(
        "ci:run",
        "ci:run",
        "build what is committed and run its tests, releasing nothing; the exit code is theirs",
        Argument("commit", "branch, tag or commit to test (default HEAD)", required=False),
        aliases=("ci",),
        examples=("ci:run", "ci:run && git push heroku main"),
        own=True,
    ),
)
