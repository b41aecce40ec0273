"""Several buildpacks in order, each in what the ones before it have made of the source.

https://devcenter.heroku.com/articles/using-multiple-buildpacks-for-an-app: the last one names the app and its default
process types.
"""

from __future__ import annotations

import re
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
        formed: bool = False,
    ) -> Finished:
        return await self.shell.run(argv, cwd=cwd, env={**self.env, **(env or {})}, show=show, formed=formed)


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
        step = replace(project, exports=so_far.exports, code_known=_known(project, so_far.influence))
        voice.app = await buildpack.detect(step, inner, voice)
        voice.step(f"{voice.app} app detected")
        if not made:
            check_early(buildpacks, project.source)
        made.append(await buildpack.compile(step, inner, store, voice))
    return voice.app, merge(made)


def _known(project: Project, before: str | None) -> Callable[[str], bool]:
    """Whether the finished code is known, asked by a buildpack whose source depends on `before` already."""
    return lambda influence: before is not None and project.code_known(_both([before, influence]))


def _both(influences: Sequence[str]) -> str:
    return "+".join(filter(None, influences))


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
        influence=None if None in influences else _both([one for one in influences if one is not None]),
        exports=exports,
    )


def _joined(first: str, second: str) -> str:
    """Two values of PATH as one; what both have, mostly the system's folders, stands where the second has it."""
    behind = _parts(second)
    return ":".join(dict.fromkeys([*(part for part in _parts(first) if part not in behind), *behind]))


def _parts(path: str) -> list[str]:
    """The folders; the colon of `{layer:KEY}` is none of PATH's."""
    return [part for part in re.split(r":(?![^{}]*\})", path) if part]
