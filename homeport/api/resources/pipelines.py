"""Pipelines: `pipelines`, `pipelines:create`, `info`, `rename`, `destroy`, `diff`."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import accounts, apps, pipelines, releases
from homeport.accounts import Action
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.resources import builds as build_shapes
from homeport.api.resources import releases as release_shapes
from homeport.api.shapes import GENERATION, Shape, app_ref, moment, named, stamp
from homeport.errors import Forbidden, Invalid, NotFound
from homeport.pipelines import Comparison, Stage
from homeport.state import App, Build, Pipeline

KEYS: Keys[Pipeline] = {
    "name": lambda pipeline: f"{pipeline.name}~{pipeline.id}",
    "id": lambda pipeline: pipeline.id,
    "created_at": lambda pipeline: moment(pipeline.created_at, pipeline.id),
}


def shape(pipeline: Pipeline) -> Shape:
    return {
        "created_at": stamp(pipeline.created_at),
        "generation": GENERATION,
        "id": pipeline.id,
        "name": pipeline.name,
        "owner": {"id": pipeline.owner_id, "type": "user"},
        "updated_at": stamp(pipeline.updated_at),
    }


def reference(pipeline: Pipeline) -> Shape:
    return {"id": pipeline.id, "name": pipeline.name}


def find(call: Call, session: Session, name_or_id: str | None = None) -> Pipeline:
    """The one in the path, or of this name."""
    return pipelines.find(session, call.actor.user, name_or_id or call.params["pipeline"])


def own(call: Call, session: Session) -> Pipeline:
    """One that is this person's to change."""
    pipeline = find(call, session)
    if pipeline.owner_id != call.actor.user.id:
        raise Forbidden("This pipeline belongs to somebody else.", fix=f"Ask {pipeline.owner.email} to do that.")
    return pipeline


def index(call: Call, session: Session) -> Reply:
    """Of one name with `?eq[name]=NAME`, as the CLI looks one up."""
    rows = pipelines.visible_to(session, call.actor.user, name=call.query.get("eq[name]"))
    return call.listing(rows, shape, KEYS)


def create(call: Call, session: Session) -> Reply:
    owner = call.body.nested("owner")
    if owner.optional_text("type") == "team":
        raise Invalid("There are no teams here.", fix="Leave --team out: the pipeline will be yours.")
    if owner.optional_text("id") not in (None, "~", call.actor.user.id, call.actor.user.email):
        raise Invalid("A pipeline can't be created for somebody else.", fix="Leave owner out: it will be yours.")
    return created(shape(pipelines.create(session, owner=call.actor.user, name=call.body.text("name"))))


async def info(call: Call) -> Reply:
    """The official CLI's `pipelines:diff` asks this on its way to kolkrabbi.heroku.com, where it would send the token
    and find nothing: it is stopped here, with the answer."""
    pipeline = await call.core.database.run(lambda session: find(call, session))
    if call.core.pipelines is not None and _is_a_diff(call):
        raise await _diff_in_words(call, pipeline)
    return Reply(shape(pipeline))


def update(call: Call, session: Session) -> Reply:
    pipeline = own(call, session)
    if (name := call.body.optional_text("name")) is not None:
        pipelines.rename(session, pipeline, name)
    return Reply(shape(pipeline))


def destroy(call: Call, session: Session) -> Reply:
    pipeline = own(call, session)
    last = shape(pipeline)
    pipelines.destroy(session, pipeline)
    return Reply(last)


def stack(call: Call, session: Session) -> Reply:
    """Of its production app, or whichever comes next to it."""
    found = pipelines.couplings(session, [find(call, session)])
    order = list(Stage)
    last = max(found, key=lambda row: order.index(Stage(row.stage)), default=None)
    return Reply({"stack": named("stack", last.app.stack) if last else None})


def latest_releases(call: Call, session: Session) -> Reply:
    """The newest of each app; a promotion is one too."""
    newest = [(app, releases.history(session, app, newest=1)) for app in _apps(call, session)]
    return Reply([release_shapes.shape(call, app, found[0]) for app, found in newest if found])


def latest_deployments(call: Call, session: Session) -> Reply:
    """The current release of each app to which something was deployed."""
    current = [(app, releases.current(session, app)) for app in _apps(call, session)]
    return Reply([release_shapes.shape(call, app, found) for app, found in current if found.slug_id is not None])


def latest_builds(call: Call, session: Session) -> Reply:
    shapes = []
    for app in _apps(call, session):
        newest = select(Build).where(Build.app_id == app.id).order_by(Build.created_at.desc()).limit(1)
        if (build := session.scalar(newest)) is not None:
            shapes.append(build_shapes.shape(call, app, build, apps.buildpacks(session, app)))
    return Reply(shapes)


def _apps(call: Call, session: Session) -> list[App]:
    found = pipelines.couplings(session, [find(call, session)])
    return [row.app for row in found if accounts.may(call.actor, Action.VIEW, row.app)]


def transfer(_call: Call, _session: Session) -> Reply:
    raise Invalid(
        "Pipelines can't be transferred yet.",
        id="not_here_yet",
        why="Homeport knows one person so far: its operator.",
    )


async def differences(call: Call) -> Reply:
    """What the app runs and the apps downstream of it don't; not in Heroku's API, where GitHub is asked."""
    pairs = await call.core.database.run(_downstream, call)
    return Reply([_difference(await _compare(call, source, target)) for source, target in pairs])


def _downstream(session: Session, call: Call) -> list[tuple[App, App]]:
    coupling = pipelines.coupling_of(session, call.app)
    if coupling is None:
        raise NotFound("pipeline_coupling", f"{call.app.name} is not in a pipeline.")
    pairs = [pair for pair in pipelines.neighbours(session, coupling.pipeline) if pair[0].id == call.app.id]
    if not pairs:
        raise Invalid(
            f"Cannot diff {call.app.name} as there are no downstream apps configured",
            fix=f"Add one: `heroku pipelines:add {coupling.pipeline.name} -a APP --stage production`.",
        )
    return [pair for pair in pairs if accounts.may(call.actor, Action.REVEAL, pair[1])]


async def _compare(call: Call, source: App, target: App) -> Comparison:
    if call.core.pipelines is None:
        raise Invalid("There are no repositories here.", id="not_here_yet")
    return await call.core.pipelines.comparer.compare(source, target)


def _difference(found: Comparison) -> Shape:
    commits = [
        {"sha": commit.id, "date": stamp(commit.at), "author": commit.author, "message": commit.subject}
        for commit in found.commits
    ]
    return {
        "source": {"app": app_ref(found.source), "commit": found.source_commit},
        "target": {"app": app_ref(found.target), "commit": found.target_commit},
        "ahead_by": found.ahead,
        "behind_by": found.behind,
        "commits": commits,
    }


def _is_a_diff(call: Call) -> bool:
    """Every other command of the official CLI that asks for a pipeline by id asks for it first of all.

    It sends the ids of all its requests so far, the newest first.
    """
    is_cli = call.headers.get("user-agent", "").startswith("heroku-cli/")
    return is_cli and "pipelines" in call.headers.get("accept", "") and "," in call.headers.get("request-id", "")


async def _diff_in_words(call: Call, pipeline: Pipeline) -> Invalid:
    pairs = await call.core.database.run(lambda session: pipelines.neighbours(session, pipeline))
    visible = [pair for pair in pairs if all(accounts.may(call.actor, Action.REVEAL, app) for app in pair)]
    lines = []
    for source, target in visible:
        try:
            lines += in_words(await _compare(call, source, target))
        except Invalid as error:
            lines.append(error.what)
    return Invalid(
        "\n".join(lines) or "Nothing to compare: no app of this pipeline is downstream of another.",
        id="pipelines_diff",
        why="\nHomeport answers in place of the official CLI's own comparison, which would send your token to Heroku.",
        fix="The same with exit code 0: `homeport pipelines:diff`.",
    )


def in_words(found: Comparison) -> list[str]:
    """As the official CLI says it."""
    source, target = found.source.name, found.target.name
    if found.target_commit is None:
        return [f"{source} was not compared to {target} as {target} does not have any releases"]
    if found.ahead is None:
        return [f"{source} was not compared to {target}: their commits are not in their repositories"]
    if found.ahead == 0 and not found.behind:
        return [f"{source} is up to date with {target}"]
    behind = f", and behind by {found.behind}" if found.behind else ""
    count = f"{found.ahead} commit{'s' * (found.ahead != 1)}"
    shown = [f"  {commit.id[:7]}  {stamp(commit.at)}  {commit.author}  {commit.subject}" for commit in found.commits]
    return [f"{source} is ahead of {target} by {count}{behind}", *shown]
