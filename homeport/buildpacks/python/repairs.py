"""Repairs of dependencies that no longer install, for apps that have allowed them.

`remedies` decides what may help against a diagnosis, `apply` makes a new plan of it; both are pure. Nothing is ever
repaired in silence: each repair has a sentence that goes into the build output.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum

from homeport.buildpacks.failures import FailureId
from homeport.buildpacks.python.dates import ResolveBefore
from homeport.buildpacks.python.diagnosis import Diagnosis
from homeport.buildpacks.python.known import BACKPORTS, Clash
from homeport.buildpacks.python.uv import Plan
from homeport.buildpacks.python.versions import Version, dotted

SETTING = "HOMEPORT_REPAIR"
"""Config var; `auto` allows all of these without resolving as of a date."""


class Remedy(Enum):
    LEAVE_OUT = "leave_out"  # the app runs without this package
    ANY_VERSION = "any_version"  # a path on another machine stands for the package of that name
    OLD_SETUPTOOLS = "old_setuptools"  # for building from source
    OLD_CYTHON = "old_cython"  # for building from source
    BINARY_PSYCOPG2 = "binary_psycopg2"  # the same code, already compiled
    NEAREST_WHEEL = "nearest_wheel"  # the nearest version that needs no compiling here
    NEAREST = "nearest"  # the nearest version that exists
    AS_PINNED = "as_pinned"  # pins count, whatever other packages ask for, as in old versions of pip
    LATER = "later"  # a day on which everything that is pinned was there


@dataclass(frozen=True)
class Facts:
    """What repairs and explanations depend on besides the diagnosis."""

    python: Version
    pins: Mapping[str, str] = field(default_factory=dict)
    file: str = "requirements.txt"  # that people write
    relock: str = ""  # the command that makes the lock file of it again
    before: str | None = None  # the day of HOMEPORT_RESOLVE_BEFORE
    commit_day: date | None = None
    python_named: str | None = None  # the file that names the Python version
    indexes: bool = False  # there are others than the usual one
    foreign: Mapping[str, str] = field(default_factory=dict)  # package names by paths on other machines


Applied = frozenset[tuple[Remedy, str]]

_NEEDS_WHEEL = (Remedy.NEAREST_WHEEL,)
_REMEDIES: Mapping[FailureId, tuple[Remedy, ...]] = {
    FailureId.REQUIREMENT_OLD_SETUPTOOLS: (Remedy.OLD_SETUPTOOLS, Remedy.NEAREST_WHEEL),
    FailureId.REQUIREMENT_OLD_CYTHON: (Remedy.OLD_CYTHON, Remedy.NEAREST_WHEEL),
    FailureId.REQUIREMENT_OLD_PYTHON_API: _NEEDS_WHEEL,
    FailureId.REQUIREMENT_HEADERS_MISSING: _NEEDS_WHEEL,
    FailureId.REQUIREMENT_COMPILER_MISSING: _NEEDS_WHEEL,
    FailureId.REQUIREMENT_BUILD_FAILED: _NEEDS_WHEEL,
    FailureId.REQUIREMENT_NO_WHEEL: _NEEDS_WHEEL,
    FailureId.REQUIREMENT_WINDOWS_ONLY: (Remedy.LEAVE_OUT,),
    FailureId.REQUIREMENT_FOREIGN_PATH: (Remedy.ANY_VERSION,),
    FailureId.REQUIREMENT_NEEDS_OTHER_PYTHON: (Remedy.NEAREST,),
    FailureId.REQUIREMENTS_CONFLICT: (Remedy.AS_PINNED,),
}


TIMEBOUND = frozenset({*_REMEDIES, FailureId.REQUIREMENT_NO_SUCH_VERSION})
"""Failures that an older index or an older Python may cure."""


def remedies(diagnosis: Diagnosis, facts: Facts, applied: Applied = frozenset()) -> list[Remedy]:
    """What may help, the gentlest first, without what was tried."""
    found = list(_REMEDIES.get(diagnosis.failure, ()))
    if diagnosis.failure is FailureId.REQUIREMENT_NO_SUCH_VERSION:
        found = [Remedy.LATER if diagnosis.needs else Remedy.NEAREST]
    building = Remedy.NEAREST_WHEEL in found
    if diagnosis.package == "psycopg2" and building:
        found.insert(0, Remedy.BINARY_PSYCOPG2)
    if diagnosis.package in BACKPORTS:
        found.insert(0, Remedy.LEAVE_OUT)
    if Remedy.OLD_SETUPTOOLS in found and not _setuptools_possible(diagnosis, facts.python):
        found.remove(Remedy.OLD_SETUPTOOLS)
    fitting = [remedy for remedy in found if _possible(remedy, diagnosis, facts)]
    return [remedy for remedy in fitting if (remedy, subject(remedy, diagnosis)) not in applied]


def subject(remedy: Remedy, diagnosis: Diagnosis) -> str:
    """What a remedy is tried once for."""
    match remedy:
        case Remedy.AS_PINNED | Remedy.OLD_CYTHON | Remedy.ANY_VERSION:
            return ""
        case Remedy.OLD_SETUPTOOLS:
            return _setuptools_bound(diagnosis)
        case _:
            return diagnosis.package


def _possible(remedy: Remedy, diagnosis: Diagnosis, facts: Facts) -> bool:
    if remedy is Remedy.AS_PINNED:
        return bool(facts.pins)
    if remedy is Remedy.ANY_VERSION:
        return diagnosis.needs in facts.foreign
    if remedy in (Remedy.NEAREST, Remedy.NEAREST_WHEEL, Remedy.BINARY_PSYCOPG2):
        return bool(diagnosis.package and diagnosis.version)
    return bool(diagnosis.package) or remedy is Remedy.OLD_CYTHON or remedy is Remedy.OLD_SETUPTOOLS


def _setuptools_bound(diagnosis: Diagnosis) -> str:
    """The version of setuptools before which what is missing was still there."""
    if "Feature" in diagnosis.line:
        return "46"
    if "use_2to3" in diagnosis.line:
        return "58"
    if "dash-separated" in diagnosis.line:
        return "78"
    return "66"  # with the attributes, commands and shims that packages of before 2023 count on


def _setuptools_possible(diagnosis: Diagnosis, python: Version) -> bool:
    """Before 66 it does not run on Python 3.12 and later (pkgutil.ImpImporter is gone)."""
    return python < (3, 12) or int(_setuptools_bound(diagnosis)) > 66


def question(remedy: Remedy, diagnosis: Diagnosis) -> tuple[str, bool] | None:
    """For remedies that need another version: the package to look for, and whether only wheels count."""
    match remedy:
        case Remedy.BINARY_PSYCOPG2:
            return "psycopg2-binary", True
        case Remedy.NEAREST_WHEEL:
            return diagnosis.package, True
        case Remedy.NEAREST:
            return diagnosis.package, False
        case _:
            return None


def apply(remedy: Remedy, diagnosis: Diagnosis, plan: Plan, facts: Facts, found: str | None) -> tuple[Plan, str]:
    """The plan with a remedy in it, and the sentence that says so. `found` answers `question`."""
    was = f"{diagnosis.package} {diagnosis.version}".strip()
    match remedy:
        case Remedy.LEAVE_OUT:
            reason = "Python has it built in" if diagnosis.package in BACKPORTS else "it is for Windows only"
            return _leave_out(plan, diagnosis.package), f"Leaving out {was}: {reason}."
        case Remedy.ANY_VERSION:
            for name in sorted(set(facts.foreign.values())):
                plan = _override(plan, name, "")
            names = ", ".join(sorted(set(facts.foreign.values())))
            return plan, f"Taking {names} from the package index; {facts.file} has paths of another machine."
        case Remedy.OLD_SETUPTOOLS:
            return _build_with(plan, f"setuptools<{_setuptools_bound(diagnosis)}", was)
        case Remedy.OLD_CYTHON:
            return _build_with(plan, "Cython<3", was)
        case Remedy.BINARY_PSYCOPG2:
            plan = _leave_out(plan, diagnosis.package)
            plan = replace(plan, requirements=_add(plan.requirements, f"psycopg2-binary=={found}"))
            return plan, f"Installing psycopg2-binary {found} in place of {was}: the same code, already compiled."
        case Remedy.NEAREST_WHEEL | Remedy.NEAREST:
            what = "that has a wheel" if remedy is Remedy.NEAREST_WHEEL else "there is"
            said = f"the nearest version {what} for Python {dotted(facts.python[:2])}."
            plan = _override(plan, diagnosis.package, f"=={found}")
            return plan, f"Installing {diagnosis.package} {found} in place of {diagnosis.version}: {said}"
        case Remedy.AS_PINNED:
            for name, pin in sorted(facts.pins.items()):
                if not any(_package(line) == name for line in plan.overrides):
                    plan = _override(plan, name, f"=={pin}")
            return plan, f"Taking the versions in {facts.file} as they stand, although packages ask for others."
        case Remedy.LATER:
            published = ResolveBefore(date.fromisoformat(diagnosis.needs))
            said = f"Resolving as of {published.day}, the day on which {was} was published: {facts.file} pins it."
            return replace(plan, before=published.moment), said


def _leave_out(plan: Plan, package: str) -> Plan:
    return replace(plan, excludes=_add(plan.excludes, package))


def _build_with(plan: Plan, limit: str, was: str) -> tuple[Plan, str]:
    said = f"Building {was}, and whatever else is built, with {limit}: it was written for that."
    return replace(plan, build_constraints=_constrain(plan.build_constraints, limit)), said


def cap(clash: Clash, plan: Plan, facts: Facts, installed: str) -> tuple[Plan, str]:
    """The plan with a limit that ends a clash, and the sentence that says so."""
    line = f"{clash.other}{clash.cap}"
    said = f"Limiting {line}: {clash.package} does not run with {installed} ({clash.reason})."
    if clash.other in facts.pins or not plan.dependencies:
        return _override(plan, clash.other, clash.cap), said
    return replace(plan, constraints=_add(plan.constraints, line)), said


def _override(plan: Plan, package: str, specifier: str) -> Plan:
    others = [line for line in plan.overrides if _package(line) != package]
    return replace(plan, overrides=(*others, f"{package}{specifier}"))


def _constrain(lines: Iterable[str], limit: str) -> tuple[str, ...]:
    """At most one limit a package, the latest."""
    return (*(line for line in lines if _package(line) != _package(limit)), limit)


def _package(line: str) -> str:
    return line.partition("<")[0].partition("=")[0].strip()


def _add(lines: tuple[str, ...], line: str) -> tuple[str, ...]:
    return lines if line in lines else (*lines, line)
