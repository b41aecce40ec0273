from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from homeport.engine import Spec, Terminal
from homeport.engine.folder import Folder
from homeport.engine.launch import environment, order
from homeport.engine.shim import wire
from homeport.engine.shim.process import start_ticks, stat


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([wire.OUTPUT, wire.STOP]), st.binary(max_size=300))), st.integers(1, 50))
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(sent: list[tuple[bytes, bytes]], step: int) -> None:
    stream = b"".join(wire.frame(kind, payload) for kind, payload in sent)
    buffer = bytearray()
    received: list[tuple[bytes, bytes]] = []
    for start in range(0, len(stream), step):
        buffer += stream[start : start + step]
        received += wire.frames(buffer)
    assert received == sent
    assert not buffer


def spec(**more: object) -> Spec:
    env = {"PATH": "{app}/bin:/usr/bin", "HOME": "/root", "PORT": "1", "GREETING": "a\nb=c"}
    return Spec("id", "web.1", ("sh", "-c", "echo ä"), Path("/code"), env, **more)  # type: ignore[arg-type]


FOLDER = Folder(Path("/dynos"), "id")


def test_an_environment_is_that_of_the_spec_and_what_only_the_engine_knows() -> None:
    assert environment(spec(), FOLDER, 20001) == {
        "GREETING": "a\nb=c",
        "HOME": "/dynos/id/app",
        "PATH": "/dynos/id/app/bin:/usr/bin",
        "PORT": "20001",
        "PWD": "/dynos/id/app",
        "TMPDIR": "/dynos/id/tmp",
    }


def test_a_terminal_is_in_the_environment() -> None:
    env = environment(spec(attached=True, terminal=Terminal(120, 50, "vt100")), FOLDER, None)
    assert (env["TERM"], env["COLUMNS"], env["LINES"]) == ("vt100", "120", "50")
    assert env["PORT"] == "1"  # a config var, if it wants no port of the engine's


def test_an_order_has_all_that_a_shim_must_know() -> None:
    fields = order(spec(attached=True, terminal=Terminal(120, 50)), FOLDER, None).split(b"\0")
    assert fields[:8] == [b"/dynos/id/app", b"terminal", b"120", b"50", b"3", b"sh", b"-c", "echo ä".encode()]
    assert b"GREETING=a\nb=c" in fields[8:]
    assert order(spec(attached=True), FOLDER, None).split(b"\0")[1] == b"pipes"
    assert order(spec(), FOLDER, None).split(b"\0")[1] == b"log"


def test_an_id_that_is_no_name_of_a_folder_is_none() -> None:
    for bad in ("", ".", "..", "../x", "a/b", ".hidden", "a\0b", "a" * 101, "a\n"):
        assert Folder.of(Path("/dynos"), bad) is None
    assert Folder.of(Path("/dynos"), "0b6f-web.1") is not None


def test_a_process_is_told_by_its_start() -> None:
    assert int(stat(os.getpid())[1]) == os.getppid()
    assert start_ticks(os.getpid()) > start_ticks(1) >= 0
    assert start_ticks(2**22 + 1) == 0
    assert stat(2**22 + 1) == []


def test_the_shim_imports_little() -> None:
    """Every module here costs each dyno memory: think before adding one."""
    from homeport.engine.shim import lines, loop, process

    allowed = {"annotations", "os", "sys", "time", "select", "_socket", "_signal", "wire", "TYPE_CHECKING"}
    for module in (lines, loop, process, wire):
        imported = {name for name, value in vars(module).items() if type(value) is type(sys)}
        assert imported <= allowed, module.__name__
