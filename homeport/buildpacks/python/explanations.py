"""From a diagnosis to the error that the person who pushed reads: what happened, why, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.python import dates, repairs
from homeport.buildpacks.python.diagnosis import Diagnosis
from homeport.buildpacks.python.known import SYSTEM_PACKAGES, Clash
from homeport.buildpacks.python.repairs import Facts
from homeport.buildpacks.python.versions import dotted, of_its_time

Text = tuple[str, str, str]  # what, why, fix
_OLD = timedelta(days=365)


def explain(diagnosis: Diagnosis, facts: Facts, *, allowed: bool) -> BuildFailed:
    """The error for a diagnosis. `allowed`: repairs were, so there is no use in offering them."""
    what, why, fix = _TEXTS[diagnosis.failure](diagnosis, facts)
    repairable = bool(repairs.remedies(diagnosis, facts))
    concerned = repairable or diagnosis.failure in repairs.TIMEBOUND
    offered = offer(repairable, facts) if concerned and not allowed else ""
    relock = f"Lock again after changing {facts.file}:\n\n  {facts.relock}" if concerned and facts.relock else ""
    return BuildFailed(diagnosis.failure, what, why=why, fix="\n\n".join(filter(None, (fix, relock, offered))))


def explain_clashes(clashes: list[tuple[Clash, str]], facts: Facts) -> BuildFailed:
    """The error for packages that install and crash at import; each with the version that was installed."""
    pairs = "\n".join(f"  {clash.package} with {clash.other} {version}: {clash.reason}" for clash, version in clashes)
    lines = "\n".join(dict.fromkeys(f"  {clash.other}{clash.cap}" for clash, _ in clashes))
    return BuildFailed(
        FailureId.REQUIREMENTS_CLASH_AT_BOOT,
        "The dependencies install, but your app would crash at its first import.",
        why=f"{pairs}\n\nThe older package does not say that it needs an older partner, so its newest was installed.",
        fix=f"Limit them in {facts.file} and push again:\n\n{lines}\n\n{offer(True, facts)}",
    )


def offer(repairable: bool, facts: Facts, *, today: date | None = None) -> str:
    """The command that lets Homeport repair, if it could."""
    today = today or datetime.now(UTC).date()
    if facts.before is None and facts.commit_day is not None and today - facts.commit_day > _OLD:
        time = dotted(of_its_time(facts.commit_day))
        python = "" if facts.python_named else f" (with Python {time}),"
        return (
            f"This commit is of {facts.commit_day}. Homeport can install what there was on that day{python}\n"
            f"and repair what is left, saying each step:\n\n  heroku config:set {dates.SETTING}=auto\n\n"
            "Then push again: git push heroku main"
        )
    if repairable:
        return (
            "Homeport can repair this, saying each step, if you let it. Then push again:\n\n"
            f"  heroku config:set {repairs.SETTING}=auto"
        )
    return ""


def _named(diagnosis: Diagnosis) -> str:
    name = f"{diagnosis.package} {diagnosis.version}".strip() or "A package"
    return f"{name} (asked for by {diagnosis.via})" if diagnosis.via else name


def _here(facts: Facts) -> str:
    return f"Python {dotted(facts.python)}"


def _unknown(diagnosis: Diagnosis, facts: Facts) -> Text:
    if diagnosis.package == "pkg-resources":
        return (
            "The package pkg-resources does not exist.",
            "`pip freeze` on Debian and Ubuntu writes it into requirements.txt by mistake.",
            f"Delete the line pkg-resources==0.0.0 from {facts.file} and push again.",
        )
    if not diagnosis.package:
        return "A file that your dependencies name is not there.", diagnosis.line, "Correct its address and push again."
    if facts.indexes:
        return (
            f"There is no package named {diagnosis.package}.",
            "None of the package indexes has it, or one of them did not let us in: a wrong user name or token looks\n"
            "the same from here.",
            f"Check its name in {facts.file}, and the address of your own index with its user name and token.",
        )
    return (
        f"There is no package named {diagnosis.package}.",
        "The package index does not have it. Perhaps the name is misspelt, or it is private or was deleted.\n"
        "What is imported and what is installed often have different names (import cv2, install opencv-python).",
        f"Look the name up on https://pypi.org and correct it in {facts.file}. For a private index, set the\n"
        "config var PIP_EXTRA_INDEX_URL.",
    )


def _no_such_version(diagnosis: Diagnosis, facts: Facts) -> Text:
    if diagnosis.needs:
        return (
            f"{_named(diagnosis)} was published on {diagnosis.needs}, after the date that you resolve for.",
            f"{dates.SETTING} lets only packages up to {facts.before} be chosen.",
            f"Set a later date:\n\n  heroku config:set {dates.SETTING}={diagnosis.needs}",
        )
    return (
        f"There is no version {diagnosis.version or 'like that'} of {diagnosis.package}.",
        "It was never published, was taken back by its author, or only exists for other Pythons.",
        f"See https://pypi.org/project/{diagnosis.package}/#history for the versions there are, correct\n"
        f"{facts.file} and push again.",
    )


def _foreign_path(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{facts.file} names a path on another machine: {diagnosis.needs}",
        "`pip freeze` writes such lines for packages that conda or a local folder had installed there.",
        "Write the package's name and version instead (name==1.2.3). `pip list --format=freeze` prints them so.",
    )


def _windows_only(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{_named(diagnosis)} exists for Windows only.",
        "Your app runs on Linux here, as on Heroku.",
        f"Let {facts.file} ask for it on Windows only, then it is left out elsewhere:\n\n"
        f'  {diagnosis.package}=={diagnosis.version}; sys_platform == "win32"',
    )


def _no_wheel(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{_named(diagnosis)} was not published for {_here(facts)}.",
        "It comes ready-made for certain Pythons only, and without its source it cannot be made for others.",
        "Name a Python of its time in a file .python-version, or ask for a newer version of the package.",
    )


def _other_python(diagnosis: Diagnosis, facts: Facts) -> Text:
    subject = _named(diagnosis) if diagnosis.package else "One of your dependencies"
    return (
        f"{subject} does not run on {_here(facts)}.",
        f"It asks for {diagnosis.needs or 'another Python'}.",
        "Name a Python that all your dependencies run on in a file .python-version, for example:\n\n  3.12",
    )


def _conflict(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        "The dependencies contradict each other.",
        f"{diagnosis.line}\n(The whole chain is in the output above.)\n"
        "pip before version 20.3 did not notice this, so older projects often have such lists.",
        f"In {facts.file}, give the package that others limit a version that suits them all, or none.",
    )


def _hash_mismatch(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"The file of {_named(diagnosis)} is not the one that {facts.file} was made with.",
        "Its checksum differs: it was replaced by another file, or something between here and the index alters it.\n"
        "Installing it would defeat what checksums are for.",
        "If you trust the index, make the file with the checksums again; otherwise find out who changed it.",
    )


def _headers(diagnosis: Diagnosis, facts: Facts) -> Text:  # noqa: ARG001
    debian = SYSTEM_PACKAGES.get(diagnosis.needs)
    install = f"sudo apt-get install {debian}" if debian else f"the Debian package that has {diagnosis.needs}"
    return (
        f"{_named(diagnosis)} cannot be compiled: {diagnosis.needs} is not on this machine.",
        "It is a binding to a C library and was not published ready-made for your Python.",
        f"Whoever runs this machine can install what is missing:\n\n  {install}\n\n"
        "Or ask for a version of the package that has a wheel.",
    )


def _compiler(diagnosis: Diagnosis, facts: Facts) -> Text:  # noqa: ARG001
    rust = "rust" in diagnosis.line.lower() or "cargo" in diagnosis.line.lower()
    return (
        f"{_named(diagnosis)} has to be compiled, and this machine has no {'Rust' if rust else 'C'} compiler.",
        "It was not published ready-made for your Python.",
        "Whoever runs this machine can install one:\n\n"
        f"  sudo apt-get install {'rustc cargo' if rust else 'build-essential'}",
    )


def _old_setuptools(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{_named(diagnosis)} cannot be built with today's setuptools.",
        f"Its setup.py uses what has been removed since:\n  {diagnosis.line}",
        f"Ask for a newer version of it in {facts.file}.",
    )


def _old_cython(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{_named(diagnosis)} cannot be built with today's Cython.",
        f"It was written for Cython 0.29, and version 3 translates it no more:\n  {diagnosis.line}",
        f"Ask for a newer version of it in {facts.file}.",
    )


def _old_api(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{_named(diagnosis)} was written for an older Python than {dotted(facts.python[:2])}.",
        f"It has no wheel for this one, and its code does not compile or run here:\n  {diagnosis.line}",
        "Name a Python of its time in a file .python-version, or ask for a newer version of the package.",
    )


def _git_history(diagnosis: Diagnosis, facts: Facts) -> Text:  # noqa: ARG001
    return (
        f"{_named(diagnosis)} takes its version from git, and builds have no git history.",
        "setuptools-scm looks for the last tag. Heroku builds without history too.",
        "Give the version yourself:\n\n  heroku config:set SETUPTOOLS_SCM_PRETEND_VERSION=1.0",
    )


def _build_failed(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{_named(diagnosis)} could not be built from source.",
        "It has no wheel for "
        + _here(facts)
        + ", so it had to be compiled, which failed"
        + (f":\n  {diagnosis.line}" if diagnosis.line else " (see above)."),
        "Ask for a version of it that has a wheel for your Python, or name another Python in .python-version.",
    )


def _unreachable(diagnosis: Diagnosis, facts: Facts) -> Text:  # noqa: ARG001
    return (
        "The package index cannot be reached.",
        diagnosis.line,
        "This is mostly a passing trouble of the network: push again. If this machine needs a proxy or an index of\n"
        "its own, set HTTPS_PROXY or PIP_INDEX_URL for Homeport or as a config var.",
    )


def _unauthorized(diagnosis: Diagnosis, facts: Facts) -> Text:  # noqa: ARG001
    return (
        "The package index refuses us.",
        diagnosis.line,
        "Check user name and token in the index's address. They belong into a config var, not into the repository:\n\n"
        "  heroku config:set PIP_EXTRA_INDEX_URL=https://USER:TOKEN@host/simple",
    )


def _git(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        "A dependency that comes from a git repository could not be fetched.",
        diagnosis.line,
        f"Check its address and branch in {facts.file}. A private repository needs a token in the address; keep it\n"
        "in a config var: git+https://${TOKEN}@host/owner/name.git",
    )


def _invalid(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{facts.file} cannot be read.",
        diagnosis.line,
        "Correct the line. Each requirement stands on a line of its own: https://pip.pypa.io/en/stable/reference/"
        "requirements-file-format/",
    )


def _outdated(diagnosis: Diagnosis, facts: Facts) -> Text:  # noqa: ARG001
    return (
        "uv.lock does not fit pyproject.toml any more.",
        "pyproject.toml was changed after the lock file was made, so nobody knows which versions you tested.",
        "Make it again, commit it and push:\n\n  uv lock\n  git commit -am 'Update the lock file'",
    )


def _lock_invalid(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        f"{facts.file} cannot be read.",
        diagnosis.line,
        "Make it again with your package manager, commit it and push.",
    )


def _disk(diagnosis: Diagnosis, facts: Facts) -> Text:  # noqa: ARG001
    return (
        "There is no space left on the disk.",
        diagnosis.line,
        "Free some space on this machine (`df -h` shows where it went) and push again.",
    )


def _other(diagnosis: Diagnosis, facts: Facts) -> Text:
    return (
        "The dependencies could not be installed.",
        diagnosis.line or "uv's output above says why.",
        f"Correct {facts.file} and push again.",
    )


_TEXTS: Mapping[FailureId, Callable[[Diagnosis, Facts], Text]] = {
    FailureId.REQUIREMENT_UNKNOWN: _unknown,
    FailureId.REQUIREMENT_NO_SUCH_VERSION: _no_such_version,
    FailureId.REQUIREMENT_FOREIGN_PATH: _foreign_path,
    FailureId.REQUIREMENT_WINDOWS_ONLY: _windows_only,
    FailureId.REQUIREMENT_NO_WHEEL: _no_wheel,
    FailureId.REQUIREMENT_NEEDS_OTHER_PYTHON: _other_python,
    FailureId.REQUIREMENTS_CONFLICT: _conflict,
    FailureId.REQUIREMENT_HASH_MISMATCH: _hash_mismatch,
    FailureId.REQUIREMENT_HEADERS_MISSING: _headers,
    FailureId.REQUIREMENT_COMPILER_MISSING: _compiler,
    FailureId.REQUIREMENT_OLD_SETUPTOOLS: _old_setuptools,
    FailureId.REQUIREMENT_OLD_CYTHON: _old_cython,
    FailureId.REQUIREMENT_OLD_PYTHON_API: _old_api,
    FailureId.REQUIREMENT_NEEDS_GIT_HISTORY: _git_history,
    FailureId.REQUIREMENT_BUILD_FAILED: _build_failed,
    FailureId.INDEX_UNREACHABLE: _unreachable,
    FailureId.INDEX_UNAUTHORIZED: _unauthorized,
    FailureId.GIT_REQUIREMENT_FAILED: _git,
    FailureId.REQUIREMENTS_INVALID: _invalid,
    FailureId.LOCKFILE_OUTDATED: _outdated,
    FailureId.LOCKFILE_INVALID: _lock_invalid,
    FailureId.BUILD_DISK_FULL: _disk,
    FailureId.DEPENDENCIES_FAILED: _other,
}
