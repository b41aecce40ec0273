"""Looking at an app: its files are listed, every check has its turn, and what was waved through is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from homeport.doctor import registry
from homeport.doctor.findings import Finding, Severity
from homeport.doctor.opening import open_project
from homeport.doctor.project import Project
from homeport.doctor.registry import Check
from homeport.doctor.source import waved_through


@dataclass(frozen=True)
class Report:
    """What was found, errors first, by file and line; how many `files` there are and how many `checks` were made."""

    findings: tuple[Finding, ...]
    files: int
    checks: int

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)


def examine(folder: Path) -> Report:
    """Raises `HomeportError` (`no_such_folder`, `nothing_to_check`)."""
    project = open_project(folder)
    checks = registry.all_checks()
    return Report(findings(project, checks), len(project.files), len(checks))


def findings(project: Project, checks: Iterable[Check]) -> tuple[Finding, ...]:
    """What these checks find; two that say the same of one line say it once."""
    found = {
        (finding.id, finding.path, finding.line, finding.what): finding
        for check in checks
        for finding in (replace(finding, id=check.id) for finding in check.find(project))
        if not _meant(project, finding)
    }
    order = list(Severity)
    return tuple(sorted(found.values(), key=lambda one: (order.index(one.severity), one.path, one.line, one.id)))


def _meant(project: Project, finding: Finding) -> bool:
    return finding.line > 0 and waved_through((project.text(finding.path) or "").split("\n"), finding.line, finding.id)
