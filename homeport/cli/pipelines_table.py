"""The rows of the command table that concern pipelines."""

from __future__ import annotations

from homeport.cli.grammar import Argument, Command, Flag
from homeport.cli.vocabulary import LONG_JSON, command, on_app

_PIPELINE = Argument("pipeline", "name or ID of the pipeline")
_STAGE = Flag("stage", "stage of the app: development, staging, production, …", char="s", value="value")

PIPELINE_TOPICS = {"pipelines": "manage pipelines: staging and production from one code"}

PIPELINE_COMMANDS: tuple[Command, ...] = (
    command("pipelines", "pipelines:list_pipelines", "list pipelines you have access to", LONG_JSON),
    on_app(
        "pipelines:create",
        "pipelines:create",
        "create a new pipeline with an app as its first",
        Argument("name", "name of the pipeline (default: the app's, without its stage)", required=False),
        _STAGE,
        examples=("pipelines:create example -a example-staging", "pipelines:create -a example-staging -s staging"),
    ),
    command("pipelines:info", "pipelines:info", "show list of apps in a pipeline", _PIPELINE, LONG_JSON),
    on_app(
        "pipelines:add",
        "pipelines:add",
        "add an app to a pipeline; its stage is guessed from its name if it isn't given",
        _PIPELINE,
        _STAGE,
        examples=("pipelines:add example -a example -s production",),
    ),
    on_app(
        "pipelines:update",
        "pipelines:update",
        "update the app's stage in a pipeline",
        _STAGE,
        examples=("pipelines:update -s staging -a example",),
    ),
    on_app("pipelines:remove", "pipelines:remove", "remove this app from its pipeline"),
    on_app(
        "pipelines:promote",
        "pipelines:promote",
        "promote the latest release of this app to its downstream app(s)",
        Flag("to", "comma separated list of apps to promote to", char="t", value="value"),
        LONG_JSON,
        examples=(
            "pipelines:promote -a example-staging",
            "pipelines:promote -a example-staging --to example,example-eu",
        ),
    ),
    on_app(
        "pipelines:diff",
        "pipelines:diff",
        "compare the latest release of this app to its downstream app(s)",
        LONG_JSON,
        examples=("pipelines:diff -a example-staging",),
    ),
    command(
        "pipelines:rename",
        "pipelines:rename",
        "rename a pipeline",
        _PIPELINE,
        Argument("name", "new name of the pipeline"),
        examples=("pipelines:rename example new-example",),
    ),
    command("pipelines:destroy", "pipelines:destroy", "destroy a pipeline; its apps stay", _PIPELINE),
    command("pipelines:open", "pipelines:open_pipeline", "open the apps of a pipeline in the web browser", _PIPELINE),
    command(
        "pipelines:transfer",
        "pipelines:transfer",
        "transfer ownership of a pipeline",
        Argument("owner", "the owner to transfer the pipeline to"),
        Flag("pipeline", "name of the pipeline", char="p", value="value"),
        Flag("confirm", "name of the pipeline, to go ahead without being asked", char="c", value="value"),
    ),
)
