from __future__ import annotations

import asyncio
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed, FailureId, Voice
from homeport.builds import Tail, slugignore
from homeport.builds.builder import on_this_loop
from homeport.builds.environment import build_environment, masked, secrets_in
from homeport.builds.slug import code_key, human, keep_code, weigh
from homeport.builds.sources import check
from homeport.slugs import Store, fingerprint


def environment(config: dict[str, str], daemon: dict[str, str]) -> dict[str, str]:
    return build_environment(
        config,
        daemon,
        home=Path("/w/home"),
        temporary=Path("/w/tmp"),
        cache=Path("/cache"),
        source=Path("/source"),
        commit="abc",
    )


def test_config_vars_are_visible_and_the_daemons_secrets_are_not() -> None:
    daemon = {"HOMEPORT_TOKEN": "x", "AWS_SECRET_ACCESS_KEY": "x", "HOME": "/root", "EDITOR": "vi"}
    env = environment({"GREETING": "hello", "EMPTY": ""}, daemon)
    assert env["GREETING"] == "hello"
    assert env["EMPTY"] == ""
    assert env["HOME"] == "/w/home"
    assert not {"HOMEPORT_TOKEN", "AWS_SECRET_ACCESS_KEY", "EDITOR"} & set(env)


@pytest.mark.parametrize(
    ("name", "handed_on"),
    [
        ("PIP_INDEX_URL", True),
        ("UV_INDEX_URL", True),
        ("UV_INDEX_PRIVATE_PASSWORD", True),
        ("HTTPS_PROXY", True),
        ("no_proxy", True),
        ("SSL_CERT_FILE", True),
        ("NPM_CONFIG_REGISTRY", True),
        ("UV_PUBLISH_TOKEN", False),
        ("UV_CACHE_DIR", False),
        ("UV_PROJECT_ENVIRONMENT", False),
        ("PIP_TARGET", False),
        ("PYTHONPATH", False),
        ("VIRTUAL_ENV", False),
        ("HEROKU_API_KEY", False),
    ],
)
def test_what_a_build_inherits_from_the_daemon(name: str, handed_on: bool) -> None:
    assert (name in environment({}, {name: "value"})) is handed_on


@pytest.mark.parametrize("name", ["PATH", "HOME", "LD_PRELOAD", "PYTHONHOME", "UV_CACHE_DIR", "BUILD_DIR", "BASH_ENV"])
def test_config_vars_cannot_break_the_builds_own_programs(name: str) -> None:
    assert environment({name: "/invalid"}, {}).get(name) != "/invalid"


def test_config_vars_win_over_the_daemons_registry() -> None:
    assert environment({"PIP_INDEX_URL": "app"}, {"PIP_INDEX_URL": "machine"})["PIP_INDEX_URL"] == "app"


def test_what_counts_as_a_secret() -> None:
    config = {
        "SECRET_KEY": "hunter2hunter2",
        "DATABASE_URL": "postgres://me:s3cr3tpw@host/db",
        "API_TOKEN": "short",
        "DEBUG": "production",
        "GREETING": "good morning",
    }
    assert secrets_in(config) == ["hunter2hunter2", "s3cr3tpw"]


def test_secrets_are_hidden_in_output() -> None:
    lines: list[str] = []
    out = masked(lines.append, {"DATABASE_URL": "postgres://me:s3cr3tpw@host/db", "MY_PASSWORD": "a+b(c)d"})
    out("connecting to postgres://me:s3cr3tpw@host/db with a+b(c)d")
    assert lines == ["connecting to postgres://me:[hidden]@host/db with [hidden]"]


def tree(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink())


@pytest.mark.parametrize(
    ("pattern", "gone"),
    [
        ("*.psd", ["a.psd", "images/b.psd"]),
        ("/images", ["images/b.psd", "images/c.png"]),
        ("images/", ["deep/images/d.png", "images/b.psd", "images/c.png"]),
        ("images/*.png", ["images/c.png"]),
        ("docs/**/x.md", ["docs/one/two/x.md"]),
        ("# *.psd", []),
        ("../*", []),
        ("/", []),
        (".", []),
        ("", []),
    ],
)
def test_slugignore(tmp_path: Path, pattern: str, gone: list[str]) -> None:
    names = ["a.psd", "images/b.psd", "images/c.png", "deep/images/d.png", "docs/one/two/x.md", "app.py"]
    source = tree(tmp_path / "source", *names)
    tree(tmp_path, "outside.psd")
    (source / ".slugignore").write_text(f"{pattern}\n")
    slugignore.apply(source, Voice(lambda _line: None))
    assert sorted(set(names) - set(left(source))) == gone
    assert (tmp_path / "outside.psd").exists()


@pytest.mark.parametrize(
    ("failure", "why", "said"),
    [
        (FailureId.BUILDPACK_INCOMPATIBLE, "There is no environment.yml.", "build: environment.yml\n"),
        (FailureId.BUILDPACK_INCOMPATIBLE, "bin/detect said no.", "build: README.md, environment.yml\n"),
        (FailureId.PACKAGE_MANAGER_MISSING, "There is no requirements.txt.", ""),
        (FailureId.PACKAGE_MANAGER_MISSING, "There is an old-environment.yml.", ""),
        (FailureId.REQUIREMENTS_FILE_MISSING, "There is no `README.md`.", "build: README.md\n"),
    ],
)
def test_who_misses_a_file_hears_that_slugignore_took_it(
    tmp_path: Path, failure: FailureId, why: str, said: str
) -> None:
    source = tree(tmp_path / "source", "environment.yml", "README.md", "docs/one.md", "app.py")
    (source / ".slugignore").write_text("*.md\n/docs\nenvironment.yml\n")
    lost = slugignore.apply(source, Voice(lambda _line: None))
    with pytest.raises(BuildFailed) as failed, slugignore.remembered(lost):
        raise BuildFailed(failure, "It failed.", why=why, fix="Commit one.")
    assert (failed.value.failure, failed.value.why) == (failure, why)
    assert failed.value.fix.endswith("Commit one.")
    assert (".slugignore takes out of the top folder before the " + said in failed.value.fix) == bool(said)
    assert (failed.value.fix == "Commit one.") == (not said)


def test_the_end_of_what_is_said_is_kept_however_much_that_is() -> None:
    tail = Tail(20)
    for number in range(100_000):
        tail.add(f"line {number}")
    assert tail.text() == "line 99999"
    tail.add("end")
    assert tail.text() == "line 99999\nend"


def test_many_stars_in_a_slugignore_take_no_longer_than_one(tmp_path: Path) -> None:
    deepest = tmp_path.joinpath(*(f"d{number}" for number in range(30)))
    deepest.mkdir(parents=True)
    (deepest / "x").touch()
    assert slugignore.matches(tmp_path, "**/*/" * 12 + "x") == [deepest / "x"]
    assert slugignore.matches(tmp_path, "**/" * 50 + "y") == []


def test_slugignore_does_not_follow_links_out_of_the_source(tmp_path: Path) -> None:
    tree(tmp_path, "outside/keep.txt")
    source = tree(tmp_path / "source", "app.py")
    (source / "link").symlink_to(tmp_path / "outside")
    (source / ".slugignore").write_text("link/keep.txt\nlink\n")
    slugignore.apply(source, Voice(lambda _line: None))
    assert not (source / "link").is_symlink()
    assert (tmp_path / "outside/keep.txt").exists()


def test_an_empty_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(BuildFailed) as caught:
        check(tmp_path, "tree")
    assert caught.value.failure is FailureId.SOURCE_EMPTY


def test_the_history_is_no_part_of_the_source(tmp_path: Path) -> None:
    tree(tmp_path, "app.py", ".git/config", "vendor/lib/.git")
    assert check(tmp_path, "tree") == "tree"
    assert left(tmp_path) == ["app.py", "vendor/lib/.git"]


def test_a_source_without_an_id_is_named_by_its_content(tmp_path: Path) -> None:
    one = check(tree(tmp_path / "one", "app.py", "sub/b.py"), None)
    assert check(tree(tmp_path / "two", "app.py", "sub/b.py"), None) == one
    (tmp_path / "two/sub/b.py").chmod(0o755)
    assert fingerprint(tmp_path / "two") != one


def test_keys_of_code_say_what_it_depends_on() -> None:
    assert code_key("tree", "") == code_key("tree", "")
    assert code_key("tree", "") != code_key("tree", "config")
    assert code_key("tree", "") != code_key("other", "")
    assert code_key("tree", None) != code_key("tree", None)


def test_known_code_is_not_stored_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "slugs")
    first = keep_code(store, tree(tmp_path / "one", "app.py"), "tree", "")
    assert not (tmp_path / "one").exists()
    second = keep_code(store, tree(tmp_path / "two", "app.py"), "tree", "")
    assert first == second
    assert (tmp_path / "two").exists()  # for the builder to clear away


def test_a_slug_may_only_be_so_large(tmp_path: Path) -> None:
    store = Store(tmp_path / "slugs")
    key = keep_code(store, tree(tmp_path / "one", "a", "b"), "tree", "")
    assert weigh(store, key, [], most_code=2, most=2) == [2]
    for most_code, most in ((1, 2), (2, 1)):
        with pytest.raises(BuildFailed) as caught:
            weigh(store, key, [], most_code=most_code, most=most)
        assert caught.value.failure is FailureId.SLUG_TOO_LARGE


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (999, "999B"), (12_345, "12.3K"), (12_345_678, "12.3M"), (2_000_000_000, "2.0G")]
)
def test_sizes_in_herokus_way(size: int, text: str) -> None:
    assert human(size) == text


def test_boxes_are_wrapped_but_commands_stay_whole() -> None:
    lines: list[str] = []
    voice = Voice(lines.append)
    voice.step("One")
    voice.warning(f"{'word ' * 40}\n\n  {'command ' * 40}")
    voice.warning("Two")
    assert lines[0] == "-----> One"
    assert all(line == "" or line.startswith(" !") for line in lines[1:])
    assert max(len(line) for line in lines if "word" in line) < 120
    assert max(len(line) for line in lines if "command" in line) > 300
    assert "" not in [one for one, two in pairwise(lines) if one == two == ""]
    assert voice.warnings[1] == "Two"


def test_what_a_thread_says_is_said_on_the_loop_and_in_order() -> None:
    said: list[tuple[str, int]] = []

    async def scenario() -> None:
        say = on_this_loop(lambda line: said.append((line, threading.get_ident())))
        say("first")
        await asyncio.to_thread(say, "second")
        say("third")

    asyncio.run(scenario())
    assert said == [(line, threading.get_ident()) for line in ("first", "second", "third")]
