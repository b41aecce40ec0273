"""The app looks for a database or a queue on localhost.

On your machine Redis or Postgres runs beside the app. A dyno runs your process alone: add-ons are elsewhere, and say
where by a config var (DATABASE_URL, REDIS_URL). Read it, and keep localhost as what counts at home:

    Celery("app", broker=os.environ.get("REDIS_URL", "redis://localhost:6379"))
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project
from homeport.doctor.source import Source

_ADDRESS = re.compile(
    r"^(rediss?|postgres(?:ql)?(?:\+\w+)?|mysql(?:\+\w+)?|amqps?|mongodb)://([^@/]*@)?(localhost|127\.0\.0\.1)\b"
)
_SETS = {"redis": ("REDIS_URL", "heroku-redis"), "postgres": ("DATABASE_URL", "heroku-postgresql")}


def find(project: Project) -> Iterator[Finding]:
    for source in project.running:
        for node, text in source.strings:
            found = _ADDRESS.match(text)
            if found is not None and _counts(source, node):
                kind = (
                    "redis" if found[1].startswith("redis") else "postgres" if found[1].startswith("postgres") else ""
                )
                variable, addon = _SETS.get(kind, ("the config var of your service", ""))
                fix = f"Read its address from {variable}"
                if addon:
                    fix += f':\n\n  os.environ.get("{variable}", {text!r})\n\n'
                    fix += f"and have it set: heroku addons:create {addon}"
                yield error(
                    source.path,
                    node.lineno,
                    f"{found[1]}:// on {found[3]} is where the app looks, whatever the environment says.",
                    why="On a dyno nothing else runs beside your process, so nobody answers there.",
                    fix=fix,
                )


def _counts(source: Source, node: ast.expr) -> bool:
    """Whether nothing gives way: no environment is asked, no condition decides, no parameter stands in for it."""
    if source.is_default(node) or source.conditional(node) or source.for_home(node) or source.only_as_script(node):
        return False
    parent = next(source.above(node), None)
    return not isinstance(parent, ast.arguments | ast.Compare) and not _overridden(source, node)


def _overridden(source: Source, node: ast.expr) -> bool:
    """A constant whose name something else in the file asks the environment beside: `DEFAULT = "redis://…"`."""
    parent = next(source.above(node), None)
    if not isinstance(parent, ast.Assign) or not isinstance(parent.targets[0], ast.Name):
        return isinstance(parent, ast.Call) and "default" in ast.unparse(parent.func).casefold()
    name = parent.targets[0].id
    uses = [
        use for use in source.nodes if isinstance(use, ast.Name) and use.id == name and use is not parent.targets[0]
    ]
    return any(source.is_default(use) or isinstance(use.ctx, ast.Store) for use in uses)
