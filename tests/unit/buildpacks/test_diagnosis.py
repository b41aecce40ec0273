"""uv's own words, recorded, and what is made of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from homeport.buildpacks import FailureId
from homeport.buildpacks.python.diagnosis import Diagnosis, diagnose

OUTPUTS = Path(__file__).parent / "uv_outputs"

EXPECTED = {
    "a feature that setuptools has removed": ("requirement_old_setuptools", "markupsafe", "1.0", ""),
    "a git repository that is not there": ("git_requirement_failed", "", "", ""),
    "a hash that does not match": ("requirement_hash_mismatch", "six", "1.16.0", ""),
    "a header that python has moved": ("requirement_old_python_api", "gevent", "1.4.0", ""),
    "a line that cannot be parsed": ("requirements_invalid", "", "", ""),
    "a missing config program": ("requirement_headers_missing", "gdal", "3.4.1", "gdal-config"),
    "a missing header": ("requirement_headers_missing", "pyaudio", "0.2.11", "portaudio.h"),
    "a package for newer pythons": ("requirement_needs_other_python", "numpy", "2.0.0", "Python>=3.9"),
    "a package for windows": ("requirement_windows_only", "pywin32", "306", ""),
    "a package that another asked for": ("requirement_old_setuptools", "llvmlite", "0.33.0", ""),
    "a package that nobody published": ("requirement_unknown", "flask-nope-zzz", "", ""),
    "a path on another machine": (
        "requirement_foreign_path", "", "", "file:///croot/certifi_1690232220950/work/certifi",
    ),
    "a pin younger than the date": ("requirement_no_such_version", "flask", "1.1.2", "2020-04-03"),
    "a pyproject that cannot be parsed": ("requirement_build_failed", "orjson", "3.6.0", ""),
    "a version that does not exist": ("requirement_no_such_version", "flask", "99", ""),
    "an address that leads nowhere": ("requirement_build_failed", "six", "", ""),
    "an editable git address": ("requirements_invalid", "", "", ""),
    "an index that does not answer": ("index_unreachable", "", "", ""),
    "an lvalue that is none any more": ("requirement_old_python_api", "psycopg2", "2.7.4", ""),
    "c code for an older python": ("requirement_old_python_api", "uwsgi", "2.0.18", ""),
    "code for python 2": ("requirement_old_python_api", "mysql-python", "1.2.5", ""),
    "cython that has changed": ("requirement_old_cython", "pyyaml", "5.4.1", ""),
    "many versions for newer pythons": ("requirement_needs_other_python", "", "", "Python>=3.10"),
    "no usable wheels": ("requirement_no_wheel", "psycopg2", "2.7.4", ""),
    "pins that contradict each other": ("requirements_conflict", "", "", ""),
    "pkg_resources missing": ("requirement_old_setuptools", "pandas", "0.25.3", ""),
    "setup py that reaches into setuptools": ("requirement_old_setuptools", "pymssql", "2.1.4", ""),
    "use_2to3": ("requirement_old_setuptools", "suds-jurko", "0.6", ""),
    "wheels for other pythons": ("requirement_no_wheel", "tensorflow", "2.3.0", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(path.stem for path in OUTPUTS.iterdir()))
def test_recorded_outputs(name: str) -> None:
    found = diagnose((OUTPUTS / f"{name}.txt").read_text())
    assert (found.failure.value, found.package, found.version, found.needs) == EXPECTED[name]


def test_who_asked_for_the_package_is_known() -> None:
    assert diagnose((OUTPUTS / "a package that another asked for.txt").read_text()).via == "numba"


def test_the_telling_line_is_quoted() -> None:
    found = diagnose((OUTPUTS / "a header that python has moved.txt").read_text())
    assert found.line == "src/gevent/libev/corecext.c:255:12: fatal error: longintrepr.h: No such file or directory"


@pytest.mark.parametrize(
    ("text", "failure", "needs"),
    [
        ("error: HTTP status client error (401 Unauthorized) for url (https://x/six/)", "index_unauthorized", ""),
        ("  cause: operation timed out", "index_unreachable", ""),
        ("error: failed to write: No space left on device (os error 28)", "build_disk_full", ""),
        ("error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.", "lockfile_outdated", ""),
        ("error: something quite new", "dependencies_failed", ""),
    ],
)
def test_short_outputs(text: str, failure: str, needs: str) -> None:
    found = diagnose(text)
    assert (found.failure.value, found.needs) == (failure, needs)


@pytest.mark.parametrize(
    ("line", "failure", "needs"),
    [
        ("Error: pg_config executable not found.", "requirement_headers_missing", "pg_config"),
        ("/bin/sh: 1: mysql_config: not found", "requirement_headers_missing", "mysql_config"),
        ("The headers or library files could not be found for jpeg,", "requirement_headers_missing", "jpeg"),
        ("Could not find function xmlCheckVersion in library libxml2. Is it installed?",
         "requirement_headers_missing", "libxml2"),
        ("Package 'cairo', required by 'virtual:world', not found", "requirement_headers_missing", "cairo"),
        ("/usr/bin/ld: cannot find -lldap_r", "requirement_headers_missing", "ldap_r"),
        ("error: command 'gcc' failed: No such file or directory", "requirement_compiler_missing", ""),
        ("error: can't find Rust compiler", "requirement_compiler_missing", ""),
        ("LookupError: setuptools-scm was unable to detect version for /x.", "requirement_needs_git_history", ""),
        ("error in x setup command: use_2to3 is invalid.", "requirement_old_setuptools", ""),
        ("Cython.Compiler.Errors.CompileError: x.pyx", "requirement_old_cython", ""),
        ("error: command 'gcc' failed with exit status 1", "requirement_build_failed", ""),
    ],
)  # fmt: skip
def test_reasons_within_a_failed_build(line: str, failure: str, needs: str) -> None:
    found = diagnose(f"error: Failed to build `thing==1.0`\n  cause: x\n\n         [stderr]\n         {line}\n")
    assert (found.failure.value, found.package, found.needs) == (failure, "thing", needs)


def test_a_windows_package_fails_for_being_one_whatever_uv_complains_of() -> None:
    text = "error: x\n  cause: Because pywin32==306 has no wheels with a matching Python ABI tag (e.g., `cp313`) and"
    assert diagnose(text) == Diagnosis(
        FailureId.REQUIREMENT_WINDOWS_ONLY, package="pywin32", version="306", line=diagnose(text).line
    )


def test_long_outputs_are_read_quickly() -> None:
    noise = "         gcc -Wsign-compare -DNDEBUG -I/x -c src/y.c -o build/z.o: error or not ‘PyThing’\n" * 2000
    assert diagnose(noise).failure is FailureId.DEPENDENCIES_FAILED


@pytest.mark.parametrize(
    "output",
    [
        "      " + "gcc -fwrapv -O3 -Wall -I/usr/include/python3.12 -c x.c " * 40 + "\n",
        "x" * 4000 + "\n",
        "a-" * 2000 + "\n",
        " " * 4000 + "\n",
        "Git operation failed\n",
        "No solution found when resolving\n",
        "pg_config " * 400 + "\n",
    ],
)  # fmt: skip
def test_no_output_is_searched_for_long(output: str) -> None:
    """It holds up the platform meanwhile: 200 KB, as much as is kept, once took half a minute."""
    whole = output * (200_000 // len(output)) + "error: Failed to build `x==1.0`\n"
    began = time.process_time()
    diagnose(whole)
    assert time.process_time() - began < 5
