"""`homeport check`: what will go wrong on a dyno, before a push. It needs no platform and runs no code of the app."""

from __future__ import annotations

import textwrap
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeport.cli.call import Call
from homeport.cli.errors import UsageError

if TYPE_CHECKING:
    from homeport.cli.ink import Ink
    from homeport.doctor import Check, Finding, Mended, Report

_WIDTH = 100


def check(call: Call) -> int:
    """1 when there are errors, with --strict also when there are warnings."""
    from homeport import doctor

    if call.has("list"):
        _list(call, doctor.all_checks())
        return 0
    explained = call.option("explain")
    if explained is not None:
        call.terminal.out(f"{explained}: {doctor.named(explained).help}")
        return 0
    if call.has("force") and not call.has("fix"):
        raise UsageError("--force goes with --fix", command="check")
    folder = Path(call.argument or ".")
    mended: list[Mended] = []
    if call.has("fix"):
        report = doctor.mend(folder, force=call.has("force"), told=mended.append)
    else:
        report = doctor.examine(folder)
    if call.has("json"):
        call.terminal.json(_document(report, mended))
    else:
        _show(call, report, mended)
    return 1 if report.errors or (call.has("strict") and report.warnings) else 0


def _list(call: Call, checks: tuple[Check, ...]) -> None:
    if call.has("json"):
        call.terminal.json([{"id": one.id, "title": one.title} for one in checks])
        return
    width = max(len(one.id) for one in checks)
    for one in checks:
        call.terminal.out(f"{one.id:<{width}}  {one.title}")
    call.terminal.say("\nMore about one: homeport check --explain sqlite_database")


def _document(report: Report, mended: list[Mended]) -> dict[str, Any]:
    """What scripts and editors read; ids are never renamed."""
    return {
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "files": report.files,
        "findings": [
            {
                "id": finding.id,
                "severity": finding.severity.value,
                "file": finding.path,
                "line": finding.line or None,
                "what": finding.what,
                "why": finding.why,
                "fix": finding.fix,
                "fixable": finding.mend is not None,
            }
            for finding in report.findings
        ],
        "fixed": [{"id": one.finding.id, "file": one.finding.path, "diff": one.diff} for one in mended if one.diff],
    }


def _show(call: Call, report: Report, mended: list[Mended]) -> None:
    ink = call.terminal.ink
    for outcome in mended:
        _show_mended(call, outcome)
    for title, found, paint in (
        ("Errors", report.errors, ink.failure),
        ("Warnings", report.warnings, ink.warning),
    ):
        if found:
            call.terminal.out(f"{ink.label('===')} {paint(ink.label(title))}\n")
            for finding in found:
                call.terminal.out(_text(finding, ink))
    call.terminal.out(_sum(report, mended, call))


def _show_mended(call: Call, outcome: Mended) -> None:
    ink, finding = call.terminal.ink, outcome.finding
    if outcome.refusal:
        call.terminal.out(f"{ink.warning('Not fixed:')} {finding.what} {outcome.refusal}\n")
        return
    call.terminal.out(f"{ink.success('Fixed:')} {finding.what}")
    for line in outcome.diff.splitlines():
        paint = ink.success if line.startswith("+") else ink.failure if line.startswith("-") else ink.dim
        call.terminal.out(f"  {paint(line)}")
    call.terminal.out()


def _text(finding: Finding, ink: Ink) -> str:
    """Place and id on a line that editors understand, then what, why and what to do."""
    lines = [f"{ink.name(finding.place)}  {ink.dim(finding.id)}", *_wrapped(ink.label(finding.what), finding.what)]
    lines += _indented(finding.why)
    lines += ["", *_indented(finding.fix)]
    return "\n".join(lines) + "\n"


def _wrapped(painted: str, plain: str) -> list[str]:
    return [f"  {painted}"] if len(plain) <= _WIDTH else _indented(plain)


def _indented(text: str) -> list[str]:
    """Prose is wrapped anew; lines that are indented are commands and code, and stay whole."""
    found: list[str] = []
    for prose, lines in groupby(text.splitlines(), key=lambda line: bool(line) and not line.startswith(" ")):
        together = list(lines)
        found += textwrap.wrap(" ".join(together), _WIDTH) if prose else together
    return [f"  {line}".rstrip() for line in found]


def _sum(report: Report, mended: list[Mended], call: Call) -> str:
    ink = call.terminal.ink
    fixed = sum(bool(one.diff) for one in mended)
    begun = f"{_count(fixed, 'thing')} fixed; look at it with git diff, then commit it. " if fixed else ""
    if not report.findings:
        clean = f"{report.checks} checks, {_count(report.files, 'file')}: nothing found."
        return f"{begun}{ink.success(clean)} Deploy it: git push heroku main"
    counts = [
        _count(len(found), word) for found, word in ((report.errors, "error"), (report.warnings, "warning")) if found
    ]
    paint = ink.failure if report.errors else ink.warning
    line = f"{begun}{paint(' and '.join(counts))} in {_count(report.files, 'file')}."
    fixable = sum(finding.mend is not None for finding in report.findings)
    if fixable and not call.has("fix"):
        return f"{line} homeport check --fix mends {fixable} of them."
    return f"{line} More about one: homeport check --explain {report.findings[0].id}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
