"""What went wrong in a Node.js build, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Finished
from homeport.buildpacks.node.package import Package

_INSTALL = (
    (re.compile(r"can only install packages when your package\.json|ERR_PNPM_OUTDATED_LOCKFILE|needs to be updated"
                r"|YN0028|Missing: .* from lock file"),
     "The lock file does not fit package.json: one of them was changed without the other.",
     "Run `{program} install`, commit {lock} and push again."),
    (re.compile(r"ERESOLVE|EPEERINVALID"),
     "The packages contradict each other in what they need of one another.",
     "Run `{program} install` on your computer, mend what it complains about, and commit {lock}."),
    (re.compile(r"\bE404\b|ERR_PNPM_FETCH_404|Couldn't find (any versions|package)|\bETARGET\b|No matching version"),
     "A package, or the version of it that is asked for, does not exist.",
     "Check the names in package.json; the output above says which one it is."),
    (re.compile(r"ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|network"),
     "npm's registry cannot be reached from this machine.",
     "Check its network. Where there is another registry: heroku config:set NPM_CONFIG_REGISTRY=https://…"),
    (re.compile(r"\bE401\b|\bE403\b|ENEEDAUTH"),
     "The registry wants to know who asks.",
     "Put a token into a config var, and name that in .npmrc:\n\n"
     "  //registry.example.com/:_authToken=${{NPM_TOKEN}}"),
    (re.compile(r"EBADENGINE|engine .* is incompatible|Unsupported engine"),
     "A package does not run with this version of Node.js.",
     'Let "engines" in package.json name one that it runs with.'),
    (re.compile(r"gyp ERR!|node-gyp"),
     "A package has parts in C or C++ that could not be compiled here.",
     "Take a version of it that comes compiled, or install a compiler: `apt-get install build-essential`."),
)  # fmt: skip

_BUILD = (
    (re.compile(r"Cannot find (module|package) '|Could not resolve [\"']|Failed to resolve import"),
     "It needs a package or a file that is not there. Names of files are compared by capitals too.",
     "Check that it is among the dependencies in package.json, and committed."),
    (re.compile(r"JavaScript heap out of memory"),
     "It wants more memory than Node.js allows itself.",
     "heroku config:set NODE_OPTIONS=--max_old_space_size=4096"),
    (re.compile(r": (?:command )?not found"),
     "A program that it starts is not there. Perhaps it is among the development dependencies that were left out.",
     "Check NPM_CONFIG_PRODUCTION and NODE_ENV among the config vars, and the dependencies in package.json."),
)  # fmt: skip


def install(package: Package, argv: Sequence[str], done: Finished) -> BuildFailed:
    why, fix = "Its output above says why.", "Mend what it complains about and push again."
    for pattern, reason, remedy in _INSTALL:
        if pattern.search(done.output):
            why, fix = reason, remedy.format(program=package.manager.program, lock=package.manager.lock)
            break
    return BuildFailed(FailureId.NODE_INSTALL_FAILED, f"'{' '.join(argv)}' failed.", why=why, fix=fix)


def script(name: str, done: Finished) -> BuildFailed:
    why, fix = "Its output above says why.", "Mend what it complains about and push again."
    for pattern, reason, remedy in _BUILD:
        if pattern.search(done.output):
            why, fix = reason, remedy
            break
    return BuildFailed(
        FailureId.NODE_BUILD_FAILED,
        f"The script {name!r} of package.json failed with exit code {done.code}.",
        why=why,
        fix=fix,
    )
