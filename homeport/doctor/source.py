"""One Python file, read and never run: its tree, and questions that several checks ask of it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath

_ENVIRONMENT = re.compile(r"\b(environ|getenv|decouple|dj_database_url|django_heroku)\b|\b[\w.]*(config|env|Env)\b[(.]")
_FOR_HOME = re.compile(  # whole words only: devices.py and cities.py are none of these
    r"^(?i:dev|develop|development|local|debug|tests?|testing|ci)(?=$|[_A-Z0-9])"
    r"|_(?i:dev|local|tests?|testing)$|(?<=[a-z])(Dev|Development|Local|Tests?|Testing)$"
)
_LONGEST = 500_000  # characters; what is longer was hardly written by hand

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """`path` is relative to the app's folder. `tree` is None where Homeport's own Python cannot read the file."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.failure: SyntaxError | None = None

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def tree(self) -> ast.Module | None:
        if len(self.text) > _LONGEST:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a stranger's escapes in strings
                return ast.parse(self.text)
        except SyntaxError as failure:
            self.failure = failure
        except (ValueError, RecursionError, MemoryError):  # a NUL; nesting that nobody meant
            pass
        return None

    @cached_property
    def _walked(self) -> tuple[list[ast.AST], dict[ast.AST, ast.AST]]:
        """Every node, outer ones before those in them, and what each stands in."""
        nodes: list[ast.AST] = [self.tree] if self.tree is not None else []
        parents: dict[ast.AST, ast.AST] = {}
        for node in nodes:  # which grows meanwhile
            for child in ast.iter_child_nodes(node):
                parents[child] = node
                nodes.append(child)
        return nodes, parents

    @property
    def nodes(self) -> list[ast.AST]:
        return self._walked[0]

    @property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        return self._walked[1]

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, from the inside out."""
        while (parent := self._parents.get(node)) is not None:
            yield parent
            node = parent

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Calls of a function or method by its last name: `connect` of `sqlite3.connect(…)`."""
        for node in self.nodes:
            if isinstance(node, ast.Call) and last_name(node.func) in names:
                yield node

    @cached_property
    def strings(self) -> list[tuple[ast.expr, str]]:
        """Strings with their text, docstrings left out; what an f-string fills in is shown as `{x}`."""
        found: list[tuple[ast.expr, str]] = []
        for node in self.nodes:
            parent = self._parents.get(node)
            if isinstance(parent, ast.JoinedStr | ast.FormattedValue | ast.Expr):
                continue
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append((node, node.value))
            elif isinstance(node, ast.JoinedStr):
                found.append((node, "".join(_shown(part) for part in node.values)))
        return found

    def function_of(self, node: ast.AST) -> Function | None:
        return next((above for above in self.above(node) if isinstance(above, Function)), None)

    def only_as_script(self, node: ast.AST) -> bool:
        """Whether it stands under `if __name__ == "__main__"`, so that no server ever runs it."""
        return any(
            isinstance(above, ast.If) and "__name__" in ast.unparse(above.test) and _in_body(above, node, self)
            for above in self.above(node)
        )

    def conditional(self, node: ast.AST) -> bool:
        """Whether something decides if it counts: an `if`, an `or`, a `try`, a branch of a `match`."""
        deciding = ast.If | ast.IfExp | ast.BoolOp | ast.Try | ast.Match | ast.While
        return any(isinstance(above, deciding) for above in self.above(node))

    def is_default(self, node: ast.AST) -> bool:
        """Whether it is what counts only where the environment says nothing: `os.environ.get("X", HERE)`."""
        for above in self.above(node):
            if isinstance(above, ast.Call) and reads_environment(above.func):
                return True
            if isinstance(above, ast.BoolOp | ast.IfExp) and reads_environment(above):
                return True
            if isinstance(above, ast.stmt):
                return False
        return False

    def for_home(self, node: ast.AST) -> bool:
        """Whether it is meant for development or tests, by the name of its file, class or function."""
        names = []
        for above in self.above(node):
            if isinstance(above, ast.ClassDef | Function):
                names += [above.name, above.name.removesuffix("Config"), above.name.removesuffix("Settings")]
        return for_home(self.path) or any(_FOR_HOME.search(name) for name in names)

    @cached_property
    def bound(self) -> frozenset[str] | None:
        """The names that the module has when it is imported; None when nobody can tell."""
        if self.tree is None:
            return None
        names: set[str] = set()
        for node in _at_top(self.tree.body):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                return None
            if isinstance(node, Function) and node.name == "__getattr__":
                return None
            if isinstance(node, Function | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            else:
                for part in ast.walk(node):
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                        names.add(part.id)
                    elif isinstance(part, ast.Name) and part.id in ("globals", "exec", "setattr", "locals"):
                        return None
        for part in self.nodes:
            if isinstance(part, ast.Global):
                names.update(part.names)
        return frozenset(names)

    def function(self, name: str) -> Function | None:
        """The function of this name at the top of the module."""
        for node in self.tree.body if self.tree is not None else []:
            if isinstance(node, Function) and node.name == name:
                return node
        return None


def for_home(path: str) -> bool:
    """Whether a file is meant for development or tests, by its name."""
    return _FOR_HOME.search(PurePosixPath(path).stem) is not None


def waved_through(lines: list[str], line: int, id: str) -> bool:
    """Whether a comment on this line (from 1) says that the finding of this id is known and meant."""
    if not 1 <= line <= len(lines):
        return False
    said = re.search(r"homeport: ok\b[ ,]*([\w, ]*)", lines[line - 1])
    return said is not None and (not said[1].strip() or id in re.split(r"[ ,]+", said[1]))


def last_name(node: ast.expr) -> str:
    """`c` of `a.b.c`, "" of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def text_of(node: ast.AST | None) -> str | None:
    """The value of a string, None for everything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((given.value for given in call.keywords if given.arg == name), None)


def reads_environment(node: ast.AST) -> bool:
    """Whether an expression asks the environment, directly or by one of the libraries made for that."""
    return (
        _ENVIRONMENT.search(ast.unparse(node) + ("(" if isinstance(node, ast.Name | ast.Attribute) else "")) is not None
    )


def assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Settings by name, however they are written: `X = v`, `o.x = v`, `o["X"] = v`, `f(X=v)`, `{"X": v}`."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from ((name, node.value) for name in _targets(target))
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield from ((name, node.value) for name in _targets(node.target))
    elif isinstance(node, ast.Call):
        yield from ((given.arg, given.value) for given in node.keywords if given.arg)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = text_of(key)
            if name is not None:
                yield name, value


def _targets(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name | ast.Attribute):
        yield last_name(target)
    elif isinstance(target, ast.Subscript):
        name = text_of(target.slice)
        if name is not None:
            yield name


def _shown(part: ast.expr) -> str:
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "{x}"


def _in_body(branching: ast.If, node: ast.AST, source: Source) -> bool:
    inside = {id(above) for above in source.above(node)} | {id(node)}
    return any(id(statement) in inside for statement in branching.body)


def _at_top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run at import; what is within `if`, `try` and `with` counts too."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(node, Function | ast.ClassDef):
                yield from _at_top(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            yield from _at_top(handler.body)
