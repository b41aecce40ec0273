"""Getting the dependencies in: from the store, or by installing, repairing on the way where that was allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from homeport.buildpacks.interface import Finished, Project, Show
from homeport.buildpacks.python import layers, nltk, repairs
from homeport.buildpacks.python.dates import ResolveBefore
from homeport.buildpacks.python.dependencies import Wanted
from homeport.buildpacks.python.diagnosis import Diagnosis, diagnose
from homeport.buildpacks.python.explanations import explain, explain_clashes
from homeport.buildpacks.python.install import Installer, Layer
from homeport.buildpacks.python.known import clashes
from homeport.buildpacks.python.layers import Note
from homeport.buildpacks.python.repairs import Applied, Facts, Remedy
from homeport.buildpacks.python.uv import Plan
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store

_MOST = 40
"""Repairs in one build; every one changes the plan, so this ends what would go in circles."""


@dataclass(frozen=True)
class Permission:
    """What the app's config vars allow: resolving up to a day, and repairs."""

    before: ResolveBefore | None = None
    repairs: bool = False

    @classmethod
    def of(cls, config: Mapping[str, str], before: ResolveBefore | None) -> Permission:
        allowed = config.get(repairs.SETTING, "").strip().lower() in ("auto", "1", "true", "yes", "on")
        return cls(before, allowed or before is not None)


class Attempts:
    """The dependencies of one build, until they are in or it is clear why they cannot be."""

    def __init__(
        self,
        project: Project,
        wanted: Wanted,
        facts: Facts,
        permission: Permission,
        installer: Installer,
        store: Store,
        voice: Voice,
    ) -> None:
        self._project = project
        self._wanted = wanted
        self._facts = facts
        self._permission = permission
        self._installer = installer
        self._store = store
        self._voice = voice
        self._said: list[str] = []

    async def layer(self, request: str) -> Layer:
        """The dependency layer for `request` (see `layers.Note`). Raises `BuildFailed`."""
        key = self._installer.key(self._wanted, request, self._conditions())
        kept = self._installer.kept(key)
        if kept is not None:
            self._say_cached(kept.note)
            return kept
        self._say_what()
        draft = self._store.draft(key)
        try:
            await self._install(draft)
            if nltk.wanted(layers.installed(draft)):
                await self._installer.download_corpora(draft)
            note = Note(
                python=self._installer.python,
                request=request,
                before=self._facts.before,
                repairs=self._said,
            )
            return await self._installer.finish(key, draft, note)
        except BaseException:
            self._store.discard(draft)
            raise

    def _conditions(self) -> dict[str, object]:
        """What else than the request decides what gets installed."""
        return {
            "before": self._facts.before,
            "repairs": self._permission.repairs,
            "nltk": nltk.corpora(self._project.source),
        }

    async def _install(self, draft: Path) -> None:
        plan = self._first_plan()
        if plan is None:
            plan = await self._sync(draft)
        applied: Applied = frozenset()
        while plan is not None:
            done, held = await self._attempt(plan, draft)
            if done.code == 0:
                plan = self._without_clashes(plan, layers.installed(draft))
                continue
            diagnosis = self._completed(diagnose(done.output))
            repaired = await self._repair(diagnosis, plan, applied)
            if repaired is None:
                self._voice.detail("\n".join(held))
                raise explain(diagnosis, self._facts, allowed=self._permission.repairs)
            plan, remedy = repaired
            applied |= {(remedy, repairs.subject(remedy, diagnosis))}

    def _first_plan(self) -> Plan | None:
        if self._wanted.plan is None or self._permission.before is None:
            return self._wanted.plan
        return replace(self._wanted.plan, before=self._permission.before.moment)

    async def _sync(self, draft: Path) -> Plan | None:
        """Let uv install its own lock file; None when that is all, else a plan that can be repaired."""
        done, held = await self._attempt(None, draft)
        if done.code == 0:
            found = list(clashes(layers.installed(draft)))
            if not found:
                return None
        diagnosis = diagnose(done.output)
        exported = None
        if self._permission.repairs and (done.code == 0 or repairs.remedies(diagnosis, self._facts)):
            exported = await self._installer.export_lock()
        if exported is not None:
            return exported
        if done.code == 0:
            return self._without_clashes(Plan(), layers.installed(draft))
        self._voice.detail("\n".join(held))
        raise explain(diagnosis, self._facts, allowed=self._permission.repairs)

    async def _attempt(self, plan: Plan | None, draft: Path) -> tuple[Finished, list[str]]:
        """One try. Where a failure may be repaired its output is held back, and returned."""
        held: list[str] = []

        def hold(line: str) -> str | None:
            if held or line.startswith(("error:", "  × ")):
                held.append(line)
                return None
            return line

        show: Show | None = hold if self._permission.repairs else None
        return await self._installer.attempt(self._wanted, plan, draft, show), held

    async def _repair(self, diagnosis: Diagnosis, plan: Plan, applied: Applied) -> tuple[Plan, Remedy] | None:
        if not self._permission.repairs or len(applied) >= _MOST:
            return None
        for remedy in repairs.remedies(diagnosis, self._facts, applied):
            asked = repairs.question(remedy, diagnosis)
            found = None
            if asked is not None:
                found = await self._installer.nearest(asked[0], diagnosis.version, wheels=asked[1], before=plan.before)
                if found is None:
                    continue
            repaired, said = repairs.apply(remedy, diagnosis, plan, self._facts, found)
            self._voice.step(self._reason(diagnosis))
            self._say_repair(said)
            return self._with_hashes(repaired), remedy
        return None

    def _without_clashes(self, plan: Plan, packages: Mapping[str, str]) -> Plan | None:
        """None when the installed packages get along; else a plan in which they will."""
        found = [(clash, packages[clash.other]) for clash in clashes(packages)]
        if not found:
            return None
        if not self._permission.repairs:
            raise explain_clashes(found, self._facts)
        for clash, version in found:
            repaired, said = repairs.cap(clash, plan, self._facts, f"{clash.other} {version}")
            if repaired == plan:  # said so before, and it did not help
                raise explain_clashes(found, self._facts)
            plan = repaired
            self._say_repair(said)
        return self._with_hashes(plan)

    def _with_hashes(self, plan: Plan) -> Plan:
        """Checksums are of the versions that were asked for, so other versions cannot be checked."""
        if not self._wanted.hashed or not plan.verify_hashes:
            return plan
        self._say_repair("Not checking the checksums of this installation: they are of other versions.")
        return replace(plan, verify_hashes=False)

    def _completed(self, diagnosis: Diagnosis) -> Diagnosis:
        """With what the requirements know and uv's output does not say."""
        name = self._facts.foreign.get(diagnosis.needs)
        return replace(diagnosis, package=name) if name and not diagnosis.package else diagnosis

    def _reason(self, diagnosis: Diagnosis) -> str:
        name = f"{diagnosis.package} {diagnosis.version}".strip() or self._facts.file
        what = diagnosis.line or diagnosis.needs
        return f"{name} does not install ({diagnosis.failure}){f': {what[:200]}' if what else ''}"

    def _say_repair(self, text: str) -> None:
        self._said.append(text)
        self._voice.detail(f"Repair: {text}")

    def _say_what(self) -> None:
        for line in self._wanted.dropped:
            place = f"{line.file}, line {line.number}"
            self._voice.detail(f"Passing over an option that only old pip knew, {place}: {line.text[:100]}")
        self._voice.step(f"Installing dependencies using '{self._wanted.command}'")
        if self._permission.before is not None:
            self._voice.detail(f"Only packages published up to {self._permission.before}")
        if self._wanted.manager.lockless:
            self._voice.detail("There is no lock file, so each new installation takes the newest versions that fit.")

    def _say_cached(self, note: Note) -> None:
        self._voice.step(f"Using cached dependencies ({len(note.packages)} packages)")
        if note.before:
            self._voice.detail(f"Published up to {note.before}")
        for repair in note.repairs:
            self._voice.detail(f"Repaired: {repair}")
