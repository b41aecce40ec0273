"""The Python buildpack, from top to bottom."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date

from homeport.buildpacks.interface import Compiled, Project, Shell
from homeport.buildpacks.python import checks, django, guess, hooks, layers, package_managers, profile, uv
from homeport.buildpacks.python.attempts import Attempts, Permission
from homeport.buildpacks.python.dates import ResolveBefore
from homeport.buildpacks.python.dependencies import Wanted, read
from homeport.buildpacks.python.install import Installer, Layer
from homeport.buildpacks.python.known import python_limit
from homeport.buildpacks.python.repairs import Facts
from homeport.buildpacks.python.selection import Circumstances, Selection
from homeport.buildpacks.python.versions import requested
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store


class Python:
    """Stands in for heroku/python. One object compiles one project."""

    title = "heroku/python"
    sees_config = True

    async def detect(self, project: Project, shell: Shell, voice: Voice) -> str:  # noqa: ARG002
        """Set by name it takes every app, so that one that lacks a file is told which."""
        return "Python"

    async def compile(self, project: Project, shell: Shell, store: Store, voice: Voice) -> Compiled:
        """Hooks, interpreter, dependencies, static files, in Heroku's order. Raises `BuildFailed`."""
        before = await hooks.run("pre_compile", project, shell, voice, {})
        checks.refuse_internal_folders(project.source)
        await checks.drop_virtual_environments(project.source, voice)
        manager = package_managers.determine(project.source, project.config)
        # In a thread: packages that lie in the source are hashed, all of them, and no app shall wait for that.
        wanted = await asyncio.to_thread(read, project.source, manager, project.scratch)
        layer = await self._dependencies(project, wanted, shell, store, voice)
        env = profile.build_time(layer, project)
        influence = await self._static_files(project, layer, shell, voice, env)
        after = await hooks.run("post_compile", project, shell, voice, env)
        checks.warn(project, layer, voice)
        guessed = guess.process_types(project.source, layer.note.packages)
        return Compiled(
            layers=(layer.key,),
            profile=profile.run_time(layer, project.source),
            process_types=guessed.process_types,
            caution=guessed.caution,
            influence=None if before or after else influence,
        )

    async def _dependencies(self, project: Project, wanted: Wanted, shell: Shell, store: Store, voice: Voice) -> Layer:
        previous = next(filter(None, (layers.note(store, key) for key in project.previous_layers)), None)
        request = layers.digest(wanted.inputs, layers.salt(project.cache))
        before = ResolveBefore.of(project, previous, request)
        permission = Permission.of(project.config, before)
        asked = requested(project.source, lockfile=wanted.manager.file)
        circumstances = Circumstances(
            day=_day(project, permission),
            limit=python_limit(wanted.pins),
            previous=previous.python if previous else None,
            lenient=permission.repairs,
        )
        interpreter = await Selection(project, shell, voice).choose(asked, circumstances)
        facts = Facts(
            python=interpreter.version,
            pins=wanted.pins,
            file=wanted.manager.edited,
            relock=wanted.manager.relock,
            before=str(before.day) if before else None,
            commit_day=project.commit_time.date() if project.commit_time else None,
            python_named=asked.origin if asked else None,
            foreign=wanted.foreign,
            indexes=wanted.indexes or any(uv.OTHER_INDEXES.fullmatch(name) for name in project.config),
        )
        installer = Installer(project, interpreter, shell, store, voice)
        return await Attempts(project, wanted, facts, permission, installer, store, voice).layer(request)

    async def _static_files(
        self, project: Project, layer: Layer, shell: Shell, voice: Voice, env: Mapping[str, str]
    ) -> str | None:
        reason = django.why_not(project, layer.note.packages)
        if reason is not None:
            if reason:
                voice.step(reason)
            return ""
        influence = layers.digest({"layer": layer.key, "config": dict(project.config)}, layers.salt(project.cache))
        if project.code_known(influence) and not hooks.present(project.source, "pre_compile"):
            voice.step("Keeping the static files: code, dependencies and config vars are those of an earlier build")
        else:
            await django.collectstatic(project, shell, voice, env)
        return influence


def _day(project: Project, permission: Permission) -> date | None:
    """The day whose Python is taken for an app that names none."""
    if permission.before is not None:
        return permission.before.day
    commit = project.commit_time
    return commit.date() if commit is not None and permission.repairs else None
