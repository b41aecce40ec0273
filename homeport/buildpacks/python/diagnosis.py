"""What uv's output says about a failed installation. Pure: text in, a diagnosis out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name

from homeport.buildpacks.failures import FailureId
from homeport.buildpacks.python.known import WINDOWS_ONLY

# What a compiler or a stranger's script prints is searched here, and nothing else runs meanwhile: so lines are searched
# from their beginning (`^(?P<line>.*`), names from theirs, and what may span lines has a limit.
_NAME = r"(?<![\w.-])[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_LATER = r"(?:.|\n){0,4000}?"
_BUILT = re.compile(rf"Failed to (?:download and )?build `({_NAME})(?:==([^`\s]+)| @ [^`]+)?`")
_VIA = re.compile(rf"hint: `{_NAME}` \([^)]*\) was included because `({_NAME})` \(v?([^)]*)\) depends on")


@dataclass(frozen=True)
class Diagnosis:
    """`package` (normalised) and `version` are what failed, `needs` what was missing, `line` the telling line.

    `via` is the package that asked for it, if it was not asked for directly.
    """

    failure: FailureId
    package: str = ""
    version: str = ""
    needs: str = ""
    line: str = ""
    via: str = ""


@dataclass(frozen=True)
class _Rule:
    """A pattern whose groups are named after fields of `Diagnosis`."""

    failure: FailureId
    pattern: re.Pattern[str]


def _rules(*rules: tuple[FailureId, str]) -> Sequence[_Rule]:
    return [_Rule(failure, re.compile(pattern, re.MULTILINE)) for failure, pattern in rules]


# The order counts: causes stand before the consequences that uv reports for them.
_OUTSIDE = _rules(
    (FailureId.BUILD_DISK_FULL, r"^(?P<line>.*No space left on device.*)"),
    (FailureId.REQUIREMENT_HASH_MISMATCH, rf"Hash mismatch for `(?P<package>{_NAME})(?:==(?P<version>[^`]+))?"),
    (FailureId.REQUIREMENT_HASH_MISMATCH, r"(?P<line>In `--require-hashes` mode, all requirements must.*)"),
    (FailureId.INDEX_UNAUTHORIZED, r"^(?P<line>.*\b(?:401 Unauthorized|403 Forbidden)\b.*)"),
    (FailureId.GIT_REQUIREMENT_FAILED, rf"Git operation failed{_LATER}(?P<line>(?:fatal|ERROR|remote): .*)"),
    (FailureId.GIT_REQUIREMENT_FAILED, r"^(?P<line>.*(?:Git operation failed|Git executable not found).*)"),
    (FailureId.INDEX_UNREACHABLE,
     r"^(?P<line>.*(?:dns error|error resolving DNS|client error \(Connect\)|operation timed out|Connection refused"
     r"|connection (?:reset|closed)|certificate verify failed|invalid peer certificate|HTTP status server error)"
     r".*)"),
    (FailureId.REQUIREMENT_FOREIGN_PATH, r"Distribution not found at: (?P<needs>file://\S+)"),
    (FailureId.REQUIREMENTS_INVALID, r"error: (?P<line>Couldn't parse requirement(?:.|\n)*)"),
    (FailureId.REQUIREMENTS_INVALID, r"error: (?P<line>(?:Expected|Unexpected|Invalid|Unsupported) .*)"),
    (FailureId.REQUIREMENTS_INVALID, r"error: (?P<line>.*does not appear to be a Python project.*)"),
    (FailureId.LOCKFILE_OUTDATED, r"(?P<line>The lockfile at `uv\.lock` needs to be updated.*)"),
    (FailureId.LOCKFILE_INVALID, r"(?P<line>Failed to parse `uv\.lock`.*)"),
)  # fmt: skip

_RESOLUTION = _rules(
    (FailureId.REQUIREMENT_WINDOWS_ONLY,
     rf"Wheels are available for `(?P<package>{_NAME})` \(v?(?P<version>[^)]*)\) on the following platforms?:"
     r"(?P<line>(?: `win\w+`,?)+)$"),
    (FailureId.REQUIREMENT_NO_WHEEL, rf"(?P<package>{_NAME})==(?P<version>\S+) has no (?:usable )?wheels\b"),
    (FailureId.REQUIREMENT_NO_WHEEL, rf"(?P<package>{_NAME})==(?P<version>\S+) has no .*matching (?P<line>.* tag)"),
    (FailureId.REQUIREMENT_UNKNOWN, rf"\b(?P<package>{_NAME}) was not found in the (?:package registry|provided)"),
    (FailureId.REQUIREMENT_NEEDS_OTHER_PYTHON,
     rf"current Python version \([^)]*\) does not satisfy (?P<needs>Python\S+) and"
     rf" (?P<package>{_NAME})==(?P<version>\S+) depends on Python"),
    (FailureId.REQUIREMENT_NO_SUCH_VERSION,
     rf"`(?P<package>{_NAME})` was filtered by `exclude-newer`.*The requested version, v(?P<version>[^,]+),"
     r" was published at (?P<needs>\d{4}-\d\d-\d\d)"),
    (FailureId.REQUIREMENT_NO_SUCH_VERSION,
     rf"there (?:is|are) no versions? of (?P<package>{_NAME})(?:\[[^]]*\])?(?:==(?P<version>[^\s,]+))?"),
    (FailureId.REQUIREMENT_NEEDS_OTHER_PYTHON,
     r"current Python version \([^)]*\) does not satisfy (?P<needs>Python\S+)"),
    (FailureId.REQUIREMENT_UNKNOWN, r"(?P<line>HTTP status client error \(404 Not Found\) for url .*)"),
    (FailureId.REQUIREMENTS_CONFLICT, rf"No solution found when resolving{_LATER}(?P<line>Because .*)"),
)  # fmt: skip

_BUILDING = _rules(
    (FailureId.REQUIREMENT_NEEDS_GIT_HISTORY, r"^(?P<line>.*setuptools-scm was unable to detect version.*)"),
    (FailureId.REQUIREMENT_OLD_CYTHON,
     r"^(?P<line>.*(?:has no attribute '?cython_sources|Cython\.Compiler\.Errors|Error compiling Cython file).*)"),
    (FailureId.REQUIREMENT_OLD_SETUPTOOLS,
     r"^(?P<line>.*(?:use_2to3 is invalid|cannot import name '(?:Feature|find_namespace)' from 'setuptools'"
     r"|No module named '(?:pkg_resources|setuptools\.command\.test|distutils|pip(?:\.\w+)*|imp)'"
     r"|ez_setup|/setuptools-\d\S*\.tar\.gz|Invalid dash-separated key|install_layout"
     r"|module 'setuptools\S*' has no attribute|'dry_run').*)"),
    (FailureId.REQUIREMENT_OLD_PYTHON_API,
     r"^(?P<line>.*(?:longintrepr\.h|\bcode\.h|lvalue required as left operand|has no member named ‘tp_print’"
     r"|PyThreadState\S* .*has no member|struct _frame|_PyLong_AsByteArray|tstate->|PyUnicode_\w+_OBJECT"
     r"|unknown type name ‘PyArena’|ob_digit|curexc_).*)"),
    (FailureId.REQUIREMENT_OLD_PYTHON_API, r"^(?P<line> *(?:ModuleNotFoundError: No module named "
     r"'(?:ConfigParser|urllib2|StringIO|cPickle|__builtin__|commands|Queue)'|SyntaxError: .*))$"),
    (FailureId.REQUIREMENT_COMPILER_MISSING,
     r"^(?P<line>.*(?:command '?(?:gcc|cc|g\+\+|clang|c\+\+|x86_64-linux-gnu-gcc)'? failed: No such file"
     r"|error: (?:can't find Rust compiler|could not find `?cargo).*|error: command '(?:gcc|cc)' not found).*)"),
    (FailureId.REQUIREMENT_HEADERS_MISSING,
     r"^(?P<line>.*fatal error: (?P<needs>[\w./+-]+): No such file or directory)"),
    (FailureId.REQUIREMENT_HEADERS_MISSING,
     r"^(?P<line>.*\b(?P<needs>(?:pg|mysql|mariadb|gdal|xml2|xslt|curl|krb5|cairo|geos|freetype|ldap)[_-]config)\b"
     r".*(?:not found|No such file|executable|find|missing).*)"),
    (FailureId.REQUIREMENT_HEADERS_MISSING, r"^(?P<line>.*[Cc]ould not (?:find|run) (?P<needs>[\w.-]+-config)\b.*)"),
    (FailureId.REQUIREMENT_HEADERS_MISSING, r"^(?P<line>.*cannot find -l(?P<needs>\w+).*)"),
    (FailureId.REQUIREMENT_HEADERS_MISSING,
     r"^(?P<line>.*(?:headers or library files could not be found for|xmlCheckVersion in library) (?P<needs>\w+).*)"),
    (FailureId.REQUIREMENT_HEADERS_MISSING,
     r"^(?P<line>.*Package '?(?P<needs>[\w.-]+?)'?,? (?:required by|was not found in the pkg-config).*)"),
)  # fmt: skip


def diagnose(output: str) -> Diagnosis:
    """The most telling reason in the output of a failed `uv pip install` or `uv sync`."""
    built = _BUILT.search(output)
    outside = _first(_OUTSIDE, output)
    if built is None or (outside is not None and outside.failure is not FailureId.REQUIREMENTS_INVALID):
        found = outside or _first(_RESOLUTION, output)
        return _windows_only(found or Diagnosis(FailureId.DEPENDENCIES_FAILED, line=_last_error(output)))
    inner = _first(_BUILDING, output) or Diagnosis(FailureId.REQUIREMENT_BUILD_FAILED, line=_last_error(output))
    via = _VIA.search(output)
    package, asked_by = str(canonicalize_name(built[1])), str(canonicalize_name(via[1])) if via else ""
    return _windows_only(replace(inner, package=package, version=built[2] or "", via=asked_by))


def _windows_only(diagnosis: Diagnosis) -> Diagnosis:
    """Whatever the complaint, these packages fail because this is no Windows."""
    if diagnosis.package in WINDOWS_ONLY:
        return replace(diagnosis, failure=FailureId.REQUIREMENT_WINDOWS_ONLY)
    return diagnosis


def _first(rules: Sequence[_Rule], output: str) -> Diagnosis | None:
    for rule in rules:
        match = rule.pattern.search(output)
        if match is not None:
            groups = {name: (value or "").strip() for name, value in match.groupdict().items()}
            if "package" in groups:
                groups["package"] = str(canonicalize_name(groups["package"]))
            return Diagnosis(rule.failure, **groups)
    return None


_ERROR = re.compile(r"(?:\w+(?:\.\w+)*(?:Error|Exception|Interrupt)\b.*|.*\berror: (?!Command ).*)$")


def _last_error(output: str) -> str:
    lines = [line for line in map(str.strip, output.splitlines()) if _ERROR.match(line)]
    return lines[-1][:300] if lines else ""
