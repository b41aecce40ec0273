"""Getting the dependencies in: from the store, or by installing, with repairs where they were allowed."""

from __future__ import annotations

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Project, Shell
from homeport.buildpacks.python import nltk
from homeport.buildpacks.python.dates import ResolveBefore
from homeport.buildpacks.python.dependencies import Wanted
from homeport.buildpacks.python.install import Installer, Layer
from homeport.buildpacks.python.interpreters import Interpreter
from homeport.buildpacks.python.layers import Note
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store


class Attempts:
    def __init__(
        self,
        project: Project,
        wanted: Wanted,
        interpreter: Interpreter,
        before: ResolveBefore | None,
        shell: Shell,
        store: Store,
        voice: Voice,
    ) -> None:
        self._project = project
        self._wanted = wanted
        self._interpreter = interpreter
        self._before = before
        self._shell = shell
        self._store = store
        self._voice = voice
        self._installer = Installer(project, interpreter, shell, store, voice)

    async def layer(self, request: str) -> Layer:
        before = str(self._before.day) if self._before else None
        extra = {"before": before, "nltk": nltk.corpora(self._project.source)}
        key = self._installer.key(self._wanted, request, extra)
        kept = self._installer.kept(key)
        if kept is not None:
            self._voice.step(f"Using cached dependencies ({len(kept.note.packages)} packages)")
            return kept
        self._voice.step(f"Installing dependencies using '{self._wanted.command}'")
        draft = self._store.draft(key)
        done = await self._installer.attempt(self._wanted, self._wanted.plan, draft)
        if done.code != 0:
            raise BuildFailed(FailureId.DEPENDENCIES_FAILED, "The dependencies could not be installed.")
        note = Note(python=self._interpreter.text, request=request, before=before)
        return await self._installer.finish(key, draft, note)
