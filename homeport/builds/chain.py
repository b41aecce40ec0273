"""Several buildpacks in order, each in what the ones before it have made of the source.

https://devcenter.heroku.com/articles/using-multiple-buildpacks-for-an-app: the last one names the app and its default
process types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from homeport.buildpacks import Buildpack, Compiled, Finished, Project, Shell, Show, Voice
from homeport.slugs import Store


@dataclass(frozen=True)
class Exporting:
    """A shell whose commands begin with some variables changed; None removes one."""

    shell: Shell
    env: Mapping[str, str | None]

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str | None] | None = None,
        show: Show | None = None,
    ) -> Finished:
        return await self.shell.run(argv, cwd=cwd, env={**self.env, **(env or {})}, show=show)


async def compile_all(
    buildpacks: Sequence[Buildpack],
    project: Project,
    shell: Shell,
    bare: Mapping[str, str | None],
    store: Store,
    voice: Voice,
    check_early: Callable[[Sequence[Buildpack], Path], None],
) -> tuple[str, Compiled]:
    """What the last one calls the app, and what all of them made.

    `bare` are changes to the environment that take the config vars out of it. `check_early` looks at the source once
    it is known to be something for the first one. Raises `BuildFailed`.
    """
    made: list[Compiled] = []
    for buildpack in buildpacks:
        so_far = merge(made)
        env = {**({} if buildpack.sees_config else bare), **so_far.exports}
        inner = Exporting(shell, env) if env else shell
        known = project.code_known if so_far.influence == "" else _nothing_is_known
        step = replace(project, exports=so_far.exports, code_known=known)
        voice.app = await buildpack.detect(step, inner, voice)
        voice.step(f"{voice.app} app detected")
        if not made:
            check_early(buildpacks, project.source)
        made.append(await buildpack.compile(step, inner, store, voice))
    return voice.app, merge(made)


def _nothing_is_known(_influence: str) -> bool:
    """To a buildpack whose source depends on what an earlier one has done to it."""
    return False


def merge(made: Sequence[Compiled]) -> Compiled:
    """All of it as one. Pure. Later ones win, and stand in front of earlier ones on PATH."""
    if len(made) == 1:
        return made[0]
    profile: dict[str, str] = {}
    exports: dict[str, str] = {}
    layers: dict[str, None] = {}
    for compiled in made:
        layers |= dict.fromkeys(compiled.layers)
        exports |= compiled.exports
        path = _joined(compiled.profile.get("PATH", ""), profile.get("PATH", ""))
        profile |= {**compiled.profile, **({"PATH": path} if path else {})}
    last = made[-1] if made else Compiled((), {}, {})
    influences = [compiled.influence for compiled in made]
    return Compiled(
        layers=tuple(layers),
        profile=profile,
        process_types=last.process_types,
        caution=last.caution,
        influence=None if None in influences else "+".join(filter(None, influences)),
        exports=exports,
    )


def _joined(first: str, second: str) -> str:
    return ":".join(dict.fromkeys(part for part in (*first.split(":"), *second.split(":")) if part))
