"""The order of the rooms is the table in docs/architecture.md: this reads the table, and every import in the house.

A room imports only from rooms above its own row, and only through their doors.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "homeport"
DRAWING = ROOT / "docs" / "architecture.md"

# Models are the nouns that every room speaks of; behind their own module they can be imported without the database.
DOORS_BESIDE_THE_MAIN_ONE = {"homeport.state.models"}

ENGINE_MAY_BE_IMPORTED_BY = {"dynos", "daemon"}

# The command line must start fast: it talks HTTP to the API. Only what concerns this machine (`up`, `down`, `status`,
# `env`; `check`; `new`) opens another door, when it is called.
CLI_MAY_IMPORT = {"errors", "home"}
CLI_MAY_IMPORT_LAZILY = CLI_MAY_IMPORT | {"daemon", "doctor", "starters"}

# Thin faces, one core: what a face is made of stays in the faces and the composition root.
FACES = {"api", "cli", "git", "daemon"}
FRAMEWORKS_OF_FACES = {"starlette", "uvicorn", "click", "rich"}

SIGNLESS = {"util", "utils", "helper", "helpers", "common", "base", "manager", "managers", "service", "services"}
SIGNLESS |= {"misc", "lib", "core", "shared", "tools", "stuff"}


@dataclass(frozen=True)
class Import:
    """One import within the house. `lazy`: inside a function, or for type checkers only."""

    importer: str
    module: str
    line: int
    lazy: bool
    typing_only: bool

    @property
    def room(self) -> str:
        return room_of(self.module)

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.module}"


def room_of(module: str) -> str:
    """`homeport.state.models` -> `state`; the package itself is "", outside all rooms."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def rooms_in_order(drawing: str) -> dict[str, int]:
    """Room -> place, from the table under "The rooms": top to bottom, left to right within a row."""
    section = drawing.split("## The rooms", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    names = [room for row in rows for room in re.findall(r"`(\w+)`", row.split("|")[1])]
    return {room: place for place, room in enumerate(names)}


@functools.cache
def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def modules() -> dict[str, Path]:
    """Dotted name -> file of every module in the house."""
    found = {}
    for path in sorted(HOUSE.rglob("*.py")):
        if "migrations" in path.parts:  # run by Alembic: loaded from files, imported by nobody
            continue
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if path.stem == "__init__" else parts)] = path
    return found


def shown_by(door: Path) -> set[str]:
    """The names in a door's `__all__`."""
    for node in read(door).body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "__all__" for target in node.targets):
            return set(ast.literal_eval(node.value))
    return set()


def targets(node: ast.Import | ast.ImportFrom, module: str, *, is_package: bool, behind: set[str]) -> Iterator[str]:
    """The modules that one statement in `module` imports, relative ones resolved.

    `behind` are the modules that `from x import y` reaches as y; for any other y the imported module is x.
    """
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    name = node.module or ""
    if node.level:
        package = module.split(".")
        package = package[: len(package) - node.level + (1 if is_package else 0)]
        name = ".".join([*package, name] if name else package)
    for alias in node.names:
        inner = f"{name}.{alias.name}"
        yield inner if inner in behind else name


def imports_in(module: str, source: str, *, is_package: bool, behind: set[str]) -> Iterator[Import]:
    """Every import of the house in `source`."""

    def walk(node: ast.AST, lazy: bool, typing_only: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                for target in targets(child, module, is_package=is_package, behind=behind):
                    if target.split(".")[0] == "homeport":
                        yield Import(module, target, child.lineno, lazy, typing_only)
                continue
            guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            in_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, lazy or in_function or guarded, typing_only or guarded)

    yield from walk(ast.parse(source), False, False)


def all_imports() -> list[Import]:
    house = modules()
    shown = {f"{name}.{part}" for name, path in house.items() if path.stem == "__init__" for part in shown_by(path)}
    rooms = {module for module in house if module.count(".") == 1}
    behind = rooms | (set(house) - shown)
    return [
        found
        for module, path in house.items()
        for found in imports_in(module, path.read_text(), is_package=path.stem == "__init__", behind=behind)
    ]


ORDER = rooms_in_order(DRAWING.read_text())

BETWEEN_ROOMS = [
    found
    for found in all_imports()
    if room_of(found.importer) in ORDER and found.room and found.room != room_of(found.importer)
]


def list_of(broken: list[Import]) -> str:
    return "\n" + "\n".join(dict.fromkeys(str(found) for found in broken))


def test_the_drawing_shows_every_room_and_no_other() -> None:
    built = {room_of(module) for module in modules()} - {"", "__main__"}
    assert built - set(ORDER) == set(), "built, but not in the table of docs/architecture.md"
    assert set(ORDER) - built == set(), "in the table of docs/architecture.md, but nowhere in homeport/"


def test_rooms_import_only_from_rooms_above_them() -> None:
    """The command line has a stricter law of its own, below."""
    wrong = [
        found
        for found in BETWEEN_ROOMS
        if ORDER.get(found.room, -1) >= ORDER[room_of(found.importer)] and room_of(found.importer) != "cli"
    ]
    assert not wrong, list_of(wrong)


def test_rooms_are_entered_through_their_doors() -> None:
    past = [
        found
        for found in BETWEEN_ROOMS
        if found.module.count(".") > 1 and found.module not in DOORS_BESIDE_THE_MAIN_ONE
    ]
    assert not past, list_of(past)


def test_only_dynos_and_the_composition_root_know_the_engine() -> None:
    wrong = [
        found
        for found in BETWEEN_ROOMS
        if found.room == "engine" and room_of(found.importer) not in ENGINE_MAY_BE_IMPORTED_BY
    ]
    assert not wrong, list_of(wrong)


def test_the_command_line_imports_almost_nothing() -> None:
    wrong = [
        found
        for found in BETWEEN_ROOMS
        if room_of(found.importer) == "cli"
        and not found.typing_only
        and found.room not in (CLI_MAY_IMPORT_LAZILY if found.lazy else CLI_MAY_IMPORT)
    ]
    assert not wrong, list_of(wrong)


def test_the_core_knows_neither_the_web_framework_nor_the_terminal() -> None:
    wrong = []
    for module, path in modules().items():
        if room_of(module) not in set(ORDER) - FACES:
            continue
        for node in ast.walk(read(path)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = targets(node, module, is_package=path.stem == "__init__", behind=set())
                wrong += [f"{module} imports {name}" for name in names if name.split(".")[0] in FRAMEWORKS_OF_FACES]
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_name_of_a_door_hides_a_module() -> None:
    """`from homeport.a.b import c` gets what the door of b calls c, be there a module c or not, and by the order of
    imports now the one and now the other."""
    house = modules()
    hiding = [
        f"{module} calls something {alias.asname or alias.name}, as a module behind it is called"
        for module, path in house.items()
        if path.stem == "__init__"
        for node in ast.walk(read(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{module}.{alias.asname or alias.name}" in house and f"{node.module}.{alias.name}" not in house
    ]
    assert not hiding, "\n" + "\n".join(hiding)


def test_every_room_has_a_sign() -> None:
    signless = [module for module in modules() if SIGNLESS & set(module.split("."))]
    assert not signless, f"name what lives there instead: {signless}"


def test_doors_hold_imports_only() -> None:
    """An `__init__.py` is a door: what a room does stands in modules with a name."""
    heavy = [
        f"{module}:{node.lineno} defines {node.name}"
        for module, path in modules().items()
        if path.stem == "__init__"
        for node in read(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.name not in {"main", "__getattr__", "__dir__"}  # entry points and lazy doors
    ]
    assert not heavy, "\n" + "\n".join(heavy)


def test_nobody_waits_by_wait_for() -> None:
    """On Python 3.11 it loses a cancellation that comes together with the result: `asyncio.timeout` does not."""
    wrong = [
        f"{module}:{node.lineno}"
        for module, path in modules().items()
        for node in ast.walk(read(path))
        if isinstance(node, ast.Attribute) and node.attr == "wait_for"
    ]
    assert not wrong, "\n" + "\n".join(wrong)


# The reading itself, on sources that spell imports in every way.


def seen(source: str, module: str = "homeport.apps.records", *, is_package: bool = False) -> list[tuple[str, bool]]:
    behind = {"homeport.state", "homeport.state.models", "homeport.apps.names"}
    return [(found.module, found.lazy) for found in imports_in(module, source, is_package=is_package, behind=behind)]


def test_reading_sees_every_spelling_of_an_import() -> None:
    assert seen("import homeport.state.models") == [("homeport.state.models", False)]
    assert seen("from homeport.state import models") == [("homeport.state.models", False)]
    assert seen("from homeport.state import Database") == [("homeport.state", False)]
    assert seen("from homeport import state") == [("homeport.state", False)]
    assert seen("from .names import generate") == [("homeport.apps.names", False)]
    assert seen("from . import names") == [("homeport.apps.names", False)]
    assert seen("from ..state import models") == [("homeport.state.models", False)]
    assert seen("from .names import generate", "homeport.apps", is_package=True) == [("homeport.apps.names", False)]
    assert seen("def f():\n    from homeport import state") == [("homeport.state", True)]
    assert seen("if True:\n    import homeport.state") == [("homeport.state", False)]
    assert seen("if TYPE_CHECKING:\n    import homeport.state") == [("homeport.state", True)]
    assert seen("import json, os") == []


def test_reading_takes_the_order_from_the_drawing() -> None:
    drawing = "## The rooms\n| room | what |\n|---|---|\n| `a`, `b` | `no` |\n| `c` | y |\n\n## Next\n| `d` | |\n"
    assert rooms_in_order(drawing) == {"a": 0, "b": 1, "c": 2}
