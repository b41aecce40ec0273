"""Why a build can fail: one stable id each, and the error that carries it.

Every id has its heading in `docs/build-errors.md`; a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum

from homeport.errors import HomeportError

DOCS = "docs/build-errors.md"


class FailureId(StrEnum):
    """Ids are part of the interface: scripts match them, so they are never renamed."""

    # The source and the build itself
    SOURCE_EMPTY = "source_empty"  # the commit holds no files
    SOURCE_UNREADABLE = "source_unreadable"  # a file that steers the build cannot be read as text
    SOURCE_DIR_INVALID = "source_dir_invalid"  # HOMEPORT_SOURCE_DIR or PROJECT_PATH names no folder of the source
    BUILDPACK_UNSUPPORTED = "buildpack_unsupported"  # an address that buildpacks are not fetched from
    BUILDPACK_NOT_DETECTED = "buildpack_not_detected"  # nothing says what kind of app this is
    BUILDPACK_INCOMPATIBLE = "buildpack_incompatible"  # a buildpack that was set says that it is not for this app
    BUILDPACK_FETCH_FAILED = "buildpack_fetch_failed"
    BUILDPACK_INVALID = "buildpack_invalid"  # it lacks bin/detect or bin/compile, or answers what nobody understands
    BUILDPACK_FAILED = "buildpack_failed"  # its bin/compile ended with another exit code than 0
    BUILD_TIMEOUT = "build_timeout"  # longer than the limit for a whole build
    BUILD_DISK_FULL = "build_disk_full"
    SLUG_TOO_LARGE = "slug_too_large"
    HOOK_FAILED = "hook_failed"  # bin/pre_compile or bin/post_compile

    # Procfile
    PROCFILE_MISSPELT = "procfile_misspelt"
    PROCFILE_INVALID = "procfile_invalid"

    # Which package manager
    PACKAGE_MANAGER_MISSING = "package_manager_missing"
    PACKAGE_MANAGER_AMBIGUOUS = "package_manager_ambiguous"
    PACKAGE_MANAGER_UNKNOWN = "package_manager_unknown"  # HOMEPORT_PACKAGE_MANAGER names none of them
    LOCKFILE_MISSING = "lockfile_missing"  # a Pipfile without Pipfile.lock
    LOCKFILE_INVALID = "lockfile_invalid"
    LOCKFILE_OUTDATED = "lockfile_outdated"
    CONDA_UNSUPPORTED = "conda_unsupported"  # heroku/python is set and only an environment.yml is there
    HEROKU_PYTHON_PRESENT = "heroku_python_present"  # .heroku/python is part of the source

    # Which Python
    PYTHON_VERSION_MISSPELT = "python_version_misspelt"  # the file's name
    PYTHON_VERSION_INVALID = "python_version_invalid"
    PYTHON_VERSION_TOO_OLD = "python_version_too_old"
    PYTHON_VERSION_UNAVAILABLE = "python_version_unavailable"
    RESOLVE_DATE_INVALID = "resolve_date_invalid"  # HOMEPORT_RESOLVE_BEFORE

    # conda
    CONDA_ENVIRONMENT_INVALID = "conda_environment_invalid"
    CONDA_CHANNEL_UNREACHABLE = "conda_channel_unreachable"
    CONDA_SOLVE_FAILED = "conda_solve_failed"
    CONDA_INSTALL_FAILED = "conda_install_failed"

    # Node.js
    PACKAGE_JSON_INVALID = "package_json_invalid"
    NODE_LOCKFILES_CONFLICT = "node_lockfiles_conflict"
    NODE_VERSION_UNAVAILABLE = "node_version_unavailable"
    NODE_INSTALL_FAILED = "node_install_failed"  # npm, Yarn or pnpm could not install the packages
    NODE_BUILD_FAILED = "node_build_failed"  # a script of package.json

    # Dependencies
    REQUIREMENTS_INVALID = "requirements_invalid"
    REQUIREMENTS_FILE_MISSING = "requirements_file_missing"
    REQUIREMENT_UNKNOWN = "requirement_unknown"  # no such package
    REQUIREMENT_NO_SUCH_VERSION = "requirement_no_such_version"
    REQUIREMENT_FOREIGN_PATH = "requirement_foreign_path"  # a path on somebody else's machine
    REQUIREMENT_WINDOWS_ONLY = "requirement_windows_only"
    REQUIREMENT_NO_WHEEL = "requirement_no_wheel"  # neither a wheel for this interpreter nor a source
    REQUIREMENT_NEEDS_OTHER_PYTHON = "requirement_needs_other_python"
    REQUIREMENTS_CONFLICT = "requirements_conflict"
    REQUIREMENTS_CLASH_AT_BOOT = "requirements_clash_at_boot"  # would install, and crash at import
    REQUIREMENT_HASH_MISMATCH = "requirement_hash_mismatch"
    REQUIREMENT_BUILD_FAILED = "requirement_build_failed"
    REQUIREMENT_HEADERS_MISSING = "requirement_headers_missing"  # a C library's headers or its config program
    REQUIREMENT_COMPILER_MISSING = "requirement_compiler_missing"
    REQUIREMENT_OLD_SETUPTOOLS = "requirement_old_setuptools"  # its setup.py needs an older setuptools
    REQUIREMENT_OLD_CYTHON = "requirement_old_cython"
    REQUIREMENT_OLD_PYTHON_API = "requirement_old_python_api"  # its C code knows only older Pythons
    REQUIREMENT_NEEDS_GIT_HISTORY = "requirement_needs_git_history"  # setuptools-scm without .git
    INDEX_UNREACHABLE = "index_unreachable"
    INDEX_UNAUTHORIZED = "index_unauthorized"
    GIT_REQUIREMENT_FAILED = "git_requirement_failed"
    DEPENDENCIES_FAILED = "dependencies_failed"  # none of the above

    # After installing
    NLTK_DOWNLOAD_FAILED = "nltk_download_failed"
    COLLECTSTATIC_FAILED = "collectstatic_failed"

    # The app's own tests
    TESTS_MISSING = "tests_missing"  # they are asked for, and nothing says what to run
    TESTS_FAILED = "tests_failed"


class BuildFailed(HomeportError):
    """The source cannot be made into a slug. Already said in the build output when it leaves `Builder.build`."""

    def __init__(self, id: FailureId, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(id.value, what, why=why, fix=fix)
        self.failure = id
