"""What a push makes of an app.json: jobs from every one, the formation from the first one, and otherwise good advice.

As on Heroku, config vars, add-ons and buildpacks in it are for setting an app up (`homeport apps:setup`, app-setups). A
push to an app that was created by hand says what of them is missing, and goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from homeport import dynos, manifests, scheduler
from homeport.errors import Invalid
from homeport.manifests import Job, Manifest, Reading

_FIX = "Mend app.json, commit and push again."


@dataclass(frozen=True)
class Present:
    """What an app has already: names of config vars, and services of add-ons."""

    variables: Collection[str]
    services: Collection[str]


@dataclass(frozen=True)
class AppJson:
    """What the release is to have of it. `told` are lines for the person who pushes."""

    cron: tuple[dict[str, str], ...] = ()
    formation: tuple[dynos.Update, ...] = ()
    told: tuple[str, ...] = field(default=(), compare=False)


def find(source: Path) -> Reading | None:
    """The app.json at the top of a source folder, None if there is none. Raises `Invalid` (`manifest_syntax`)."""
    path = source / manifests.NAME
    try:
        if not path.is_file() or not path.resolve().is_relative_to(source.resolve()):
            return None
        with path.open("rb") as file:
            data = file.read(manifests.LARGEST + 1)
    except OSError:
        return None
    return manifests.read(data)


def consider(reading: Reading | None, present: Present | None) -> AppJson:
    """`present` is given for an app's first release.

    Raises `Invalid` (`manifest_cron`): jobs that nobody can run must not look as if they were there.
    """
    if reading is None:
        return AppJson()
    jobs, wrong = _jobs(reading.manifest.cron)
    if wrong := [*reading.of("cron"), *wrong]:
        raise _refused(wrong)
    told = ["-----> Scheduled jobs in app.json", *(f"       {job}" for job in jobs)] if jobs else []
    if present is None:
        return AppJson(tuple(job.fields() for job in reading.manifest.cron), (), tuple(told))
    formation, odd = _formation(reading.manifest)
    advice = [*reading.of("env", "addons", "formation", "buildpacks", "scripts"), *odd]
    told += [f" !     app.json: {text}" for text in [*advice, *_missing(reading.manifest, present)]]
    return AppJson(tuple(job.fields() for job in reading.manifest.cron), formation, tuple(told))


def _jobs(cron: Sequence[Job]) -> tuple[list[str], list[str]]:
    """The jobs as they are shown, and what is wrong with some."""
    shown, wrong = [], []
    for job in cron:
        try:
            wish = scheduler.wish_from(job.fields())
            shown.append(f"{wish.name or wish.command}: {wish.schedule}")
        except Invalid as error:
            wrong.append(f"cron: {job.command[:60]}: {' '.join(error.message.split())}")
    return shown, wrong


def _refused(wrong: list[str]) -> Invalid:
    return Invalid(
        "The jobs in app.json can't be scheduled.",
        id="manifest_cron",
        why="\n".join(wrong),
        fix=_FIX,
    )


def _formation(manifest: Manifest) -> tuple[tuple[dynos.Update, ...], list[str]]:
    """What can be scaled so, and what is wrong with the rest."""
    updates, odd = [], []
    for type_, wanted in manifest.formation.items():
        if (wanted.quantity or 0) > (0 if type_ == "release" else dynos.MOST_DYNOS):
            odd.append(f"formation.{type_[:60]} can't have {wanted.quantity} dynos")
            continue
        try:
            size = dynos.sizes.find(wanted.size).name if wanted.size is not None else None
            updates.append(dynos.Update(type_, wanted.quantity, size))
        except Invalid as error:
            odd.append(f"formation.{type_[:60]}: {error.what}")
    return tuple(updates), odd


def _missing(manifest: Manifest, present: Present) -> Iterator[str]:
    for variable in manifest.env:
        if variable.required and variable.name not in present.variables:
            value = variable.value or "VALUE"
            yield f"{variable.name} is not set. Set it: heroku config:set {variable.name}={_shown(value)}"
    for addon in manifest.addons:
        if addon.plan.partition(":")[0] not in present.services:
            yield f"{addon.plan} is not there. Add it: heroku addons:create {addon.plan}"


def _shown(value: str) -> str:
    return value if value.isprintable() and " " not in value and len(value) < 60 else "VALUE"
