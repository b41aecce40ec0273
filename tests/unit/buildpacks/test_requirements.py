from __future__ import annotations

from pathlib import Path

import pytest

from homeport.buildpacks import BuildFailed, FailureId
from homeport.buildpacks.python.requirements import Local, Scan, logical_lines, scan


def write(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def scanned(tmp_path: Path, text: str, **more: str) -> Scan:
    return scan(write(tmp_path, {"requirements.txt": text, **more}), "requirements.txt")


def test_lines_are_joined_and_comments_taken_off() -> None:
    text = "six==1.16.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n# nothing\n\nflask  # web\nurl#egg=x\n"
    assert [(line.number, line.text) for line in logical_lines("r", text)] == [
        (1, "six==1.16.0      --hash=sha256:aa      --hash=sha256:bb"),
        (6, "flask"),
        (7, "url#egg=x"),
    ]


def test_names_and_pins(tmp_path: Path) -> None:
    found = scanned(tmp_path, "Flask_Login==0.5.0\nDjango>=2\ncelery[redis]==4.4.2 ; python_version > '3'\nsix===1.0\n")
    assert found.names == {"flask-login", "django", "celery", "six"}
    assert found.pins == {"flask-login": "0.5.0", "celery": "4.4.2", "six": "1.0"}


def test_includes_are_followed_from_where_they_stand(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-r requirements/prod.txt\n",
        "requirements/prod.txt": "--requirement=base.txt\n-climits.txt\ngunicorn\n",
        "requirements/base.txt": "six\n-r prod.txt\n",
        "requirements/limits.txt": "idna==3.7\n",
    }
    found = scan(write(tmp_path, files), "requirements.txt")
    assert set(found.files) == set(files)
    assert found.names == {"gunicorn", "six", "idna"}


def test_a_missing_include_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed) as caught:
        scanned(tmp_path, "six\n-r base.txt\n")
    assert caught.value.failure is FailureId.REQUIREMENTS_FILE_MISSING
    assert "Line 2 says: -r base.txt" in caught.value.why


def test_an_include_may_not_lead_out_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("six\n")
    source = tmp_path / "source"
    with pytest.raises(BuildFailed):
        scan(write(source, {"requirements.txt": "-r ../secret.txt\n"}), "requirements.txt")


def test_packages_of_the_source_are_found(tmp_path: Path) -> None:
    for folder in ("lib", "packages/one", "wheels"):
        (tmp_path / folder).mkdir(parents=True)
    found = scanned(
        tmp_path,
        "-e .\n-e ./lib[extra]\n./packages/one\ntwo @ file:./lib\n--find-links wheels\n--find-links https://x/y\n",
    )
    assert found.locals == [
        Local(".", True), Local("lib", True), Local("packages/one", False), Local("lib", False),
    ]  # fmt: skip
    assert found.folders == ["wheels"]


def test_paths_of_other_machines_are_told_apart(tmp_path: Path) -> None:
    found = scanned(tmp_path, "Six @ file:///croot/six_1/work\n")
    assert found.foreign == {"file:///croot/six_1/work": "six"}
    assert found.locals == []


def test_editable_repositories_become_plain_ones(tmp_path: Path) -> None:
    found = scanned(tmp_path, "-e git+https://host/a.git@v1#egg=Thing\nsix\n")
    assert found.rewritten == {"requirements.txt": "Thing @ git+https://host/a.git@v1\nsix\n"}
    assert found.names == {"thing", "six"}


def test_options_of_old_pip_are_dropped_and_remembered(tmp_path: Path) -> None:
    found = scanned(tmp_path, '--process-dependency-links\nsix==1.16.0 --install-option="--fast" --hash=sha256:aa\n')
    assert found.rewritten == {"requirements.txt": "\nsix==1.16.0 --hash=sha256:aa\n"}
    assert [(line.number, line.text) for line in found.dropped] == [
        (1, "--process-dependency-links"), (2, "--install-option=--fast"),
    ]  # fmt: skip
    assert found.hashed


def test_options_that_uv_wants_elsewhere(tmp_path: Path) -> None:
    found = scanned(tmp_path, "--pre\n--trusted-host pypi.local\n--prefer-binary\nsix\n")
    assert (found.prereleases, found.trusted_hosts) == (True, ["pypi.local"])
    assert found.dropped == []


def test_what_uv_understands_is_left_as_it_is(tmp_path: Path) -> None:
    lines = ["-i https://${USER}:${TOKEN_1}@host/simple", "--extra-index-url https://host/x", "--no-binary six"]
    found = scanned(tmp_path, "\n".join([*lines, "six[a]>=1;os_name=='posix'\n"]))
    assert found.rewritten == {}
    assert found.variables == {"USER", "TOKEN_1"}
    assert found.indexes


def test_powershells_encoding_is_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("\ufeffsix==1.16.0\r\nidna\r\n".encode("utf-16-le"))
    assert scan(tmp_path, "requirements.txt").names == {"six", "idna"}


def test_what_lies_outside_of_the_source_is_not_taken_in(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    source = tmp_path / "source"
    source.mkdir()
    (source / "link").symlink_to(outside)
    (source / "loop").symlink_to("loop")
    lines = ("--find-links /", "-f ../outside", "-f link", "-f loop", "-e ./link", "-e ../outside", "./link")
    found = scanned(source, "".join(f"{line}\n" for line in lines))
    assert (found.locals, found.folders) == ([], [])
