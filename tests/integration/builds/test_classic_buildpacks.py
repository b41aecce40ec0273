"""Anybody's buildpacks, good ones and ugly ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.builds.packs import SCHEMES, Pack, git, served
from tests.integration.builds.workshop import Outcome, Workshop

pytestmark = pytest.mark.slow

PLAIN = "no python at all"
FLASK = "a flask app with pinned requirements"
MINIMAL = "requirements in several files"
NOTHING = "#!/bin/sh\n"


@pytest.fixture
def shop(workshop: Workshop) -> Workshop:
    workshop.builder._environ.update(SCHEMES)
    return workshop


def build(shop: Workshop, *urls: str, project: str = PLAIN, env: dict[str, str] | None = None) -> Outcome:
    source = shop.source(project, {"Procfile": "web: ./serve\n"} if project == PLAIN else {})
    return shop.build(source, env=env or {}, buildpack_urls=list(urls))


def start(shop: Workshop, outcome: Outcome, command: str) -> str:
    """What a command prints in a dyno: `.profile.d` first, as `dynos` starts them."""
    app = shop.dyno(outcome.slug)
    env = {"PATH": os.environ["PATH"], **shop.environment(outcome.slug, app), "HOME": str(app)}
    script = f'for file in "$HOME"/.profile.d/*.sh; do [ -f "$file" ] && . "$file"; done\n{command}'
    done = subprocess.run(["bash", "-c", script], cwd=app, env=env, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_a_buildpack_is_given_what_herokus_contract_says(shop: Workshop, tmp_path: Path) -> None:
    script = """\
#!/usr/bin/env bash
echo "-----> Greeting from $STACK"
echo "build $(cd "$1" && ls | tr '\\n' ' ')"
echo "count $(cat "$2/count" 2>/dev/null || echo none)"
echo "colour $(cat "$3/COLOUR") and ${COLOUR:-none}"
echo x >> "$2/count"
mkdir -p "$1/.profile.d" "$1/vendor/bin"
printf '#!/bin/sh\\necho hello $COLOUR\\n' > "$1/vendor/bin/greet"; chmod +x "$1/vendor/bin/greet"
echo 'export PATH="$HOME/vendor/bin:$PATH"' > "$1/.profile.d/greet.sh"
"""
    release = """\
#!/usr/bin/env bash
echo noise >&2
echo "---
config_vars:
  COLOUR: blue
  GREETING_HOME: /app/vendor
default_process_types:
  web: greet
"
"""
    pack = Pack(tmp_path / "pack", {"bin/compile": script, "bin/release": release})
    outcome = shop.build(shop.source(PLAIN), env={"COLOUR": "red"}, buildpack_urls=[pack.url])
    said = [line.strip() for line in outcome.lines]
    assert f"-----> Using buildpack: {pack.url}" in said
    assert "-----> Greeting app detected" in said
    assert "-----> Greeting from heroku-24" in outcome.lines
    assert {"count none", "colour red and none"} <= set(said)
    assert outcome.slug.buildpack == "Greeting"
    assert outcome.slug.process_types == {"web": "greet"}
    assert start(shop, outcome, "greet") == "hello blue"
    assert start(shop, outcome, "echo $GREETING_HOME").endswith("/vendor")
    again = shop.build(shop.source(PLAIN), env={"COLOUR": "red"}, buildpack_urls=[pack.url])
    assert "count x" in [line.strip() for line in again.lines]
    assert again.slug.code != outcome.slug.code  # nobody knows what it depends on


def test_several_in_order_with_exports_between_them(shop: Workshop, tmp_path: Path) -> None:
    first = Pack(tmp_path / "first", {
        "bin/compile": '#!/usr/bin/env bash\nmkdir -p "$1/tools"\n'
        'printf "#!/bin/sh\\necho tool\\n" > "$1/tools/tool"; chmod +x "$1/tools/tool"\n'
        'echo "export PATH=$1/tools:\\$PATH FIRST=\'was here\'" > "$(dirname "$0")/../export"\n',
        "bin/release": "#!/bin/sh\necho 'default_process_types: {web: first, extra: no}'\n",
    })  # fmt: skip
    second = Pack(tmp_path / "second", {
        "bin/detect": '#!/bin/sh\ntest -x "$1/tools/tool" && echo "$FIRST $(tool)"\n',
        "bin/compile": '#!/bin/sh\necho "second: $FIRST, $(tool)"\n',
        "bin/release": "#!/bin/sh\necho 'default_process_types: {web: second}'\n",
    })  # fmt: skip
    outcome = shop.build(shop.source(PLAIN), buildpack_urls=[first.url, second.url])
    assert f"       1. {first.url}\n       2. {second.url}" in outcome.text
    assert "-----> was here tool app detected" in outcome.lines
    assert "second: was here, tool" in outcome.text
    assert outcome.slug.process_types == {"web": "second"}
    assert build(shop, second.url, first.url).error.id == "buildpack_incompatible"


def test_one_in_front_of_python(shop: Workshop, tmp_path: Path) -> None:
    """Its files are in the slug, its exports are there for the app's own scripts, and Python keeps the last word."""
    pack = Pack(tmp_path / "pack", {
        "bin/compile": '#!/usr/bin/env bash\nmkdir -p "$1/built" "$1/.profile.d"; echo made > "$1/built/asset.txt"\n'
        'echo "export ASSETS=$1/built" > "$(dirname "$0")/../export"\n'
        "echo 'export ASSETS=$HOME/built' > \"$1/.profile.d/assets.sh\"\n",
        "bin/release": "#!/bin/sh\necho 'config_vars: {LANG: de_DE.UTF-8}'\n",
    })  # fmt: skip
    source = shop.source(MINIMAL, {"bin/post_compile": "#!/bin/sh\ncat $ASSETS/asset.txt; python -c 'import idna'\n"})
    outcome = shop.build(source, buildpack_urls=[pack.url, "heroku/python"])
    assert outcome.slug.buildpack == "Python"
    assert "       made" in outcome.lines
    assert (
        start(shop, outcome, "python -c \"import idna, os; print(open(os.environ['ASSETS'] + '/asset.txt').read())\"")
        == "made"
    )


def test_archives(shop: Workshop, tmp_path: Path) -> None:
    pack = Pack(tmp_path / "pack", {"bin/compile": "#!/bin/sh\necho unpacked\n"})
    (tmp_path / "www").mkdir()
    pack.archive(tmp_path / "www" / "plain.tgz")
    pack.archive(tmp_path / "www" / "nested.tar.gz", top="pack-main/")
    (tmp_path / "www" / "broken.tgz").write_bytes(b"\x1f\x8bnothing")
    with served(tmp_path / "www") as url:
        for name in ("plain.tgz", "nested.tar.gz"):
            outcome = build(shop, f"{url}/{name}")
            assert "unpacked" in outcome.text
        assert "It is not a readable archive" in build(shop, f"{url}/broken.tgz").error.why
        missing = build(shop, f"{url}/missing.tgz")
        assert missing.error.id == "buildpack_fetch_failed"
        assert "no such repository" in missing.error.why or "404" in missing.error.why
    offline = build(shop, f"{url}/plain.tgz")
    assert "cannot be fetched now; using the copy of" in offline.text
    assert offline.slug.warnings


def test_versions(shop: Workshop, tmp_path: Path) -> None:
    pack = Pack(tmp_path / "pack", {"bin/compile": "#!/bin/sh\necho version one\n"})
    first = git(pack.folder, "rev-parse", "HEAD")
    git(pack.folder, "tag", "--annotate", "v1", "--message", "one")
    pack.write({"bin/compile": "#!/bin/sh\necho version two\n"})
    assert "version two" in build(shop, pack.url).text
    for ref in ("v1", first, first[:9]):
        assert "version one" in build(shop, f"{pack.url}#{ref}").text, ref
    assert "version two" in build(shop, f"{pack.url}#main").text
    pack.write({"bin/compile": "#!/bin/sh\necho version three\n"})
    assert "version three" in build(shop, pack.url).text
    assert "no branch or tag 'v9'" in build(shop, f"{pack.url}#v9").error.why
    pack.folder.rename(tmp_path / "moved")
    pinned = build(shop, f"{pack.url}#{first}")
    assert "version one" in pinned.text
    assert pinned.slug.warnings == []
    stale = build(shop, pack.url)
    assert "version three" in stale.text
    assert "cannot be fetched now" in stale.text


UGLY = {
    "no bin/compile": ({"bin/other": NOTHING}, "buildpack_invalid"),
    "detect refuses": ({"bin/detect": "#!/bin/sh\nexit 1\n", "bin/compile": NOTHING}, "buildpack_incompatible"),
    "compile fails midway": ({"bin/compile": "#!/bin/sh\necho half\nexit 3\necho never\n"}, "buildpack_failed"),
    "compile has a missing interpreter": ({"bin/compile": "#!/no/such/thing\n"}, "buildpack_failed"),
    "release fails": ({"bin/compile": NOTHING, "bin/release": "#!/bin/sh\nexit 2\n"}, "buildpack_failed"),
    "release answers nonsense": (
        {"bin/compile": NOTHING, "bin/release": "#!/bin/sh\necho 'a: b: c'\n"},
        "buildpack_invalid",
    ),
    "the app becomes a link": (
        {"bin/compile": '#!/bin/sh\nmv "$1" "$1.old" && ln -s /etc "$1"\n'},
        "buildpack_failed",
    ),
    "the app is taken away": ({"bin/compile": '#!/bin/sh\nrm -rf "$1"\n'}, "buildpack_failed"),
}


@pytest.mark.parametrize("name", UGLY)
def test_ugly_ones_are_refused(shop: Workshop, tmp_path: Path, name: str) -> None:
    scripts, failure = UGLY[name]
    pack = Pack(tmp_path / "pack", scripts)
    outcome = build(shop, pack.url)
    assert outcome.error.id == failure, outcome.text
    assert "never" not in outcome.text
    assert "Push rejected" in outcome.lines[-2]
    assert not list(shop.builder._scratch.path.glob("build*"))


def test_a_link_to_another_folder_as_script(shop: Workshop, tmp_path: Path) -> None:
    pack = Pack(tmp_path / "pack", {"bin/other": NOTHING})
    (pack.folder / "bin" / "compile").symlink_to("/bin/true")
    git(pack.folder, "add", "--all")
    git(pack.folder, "commit", "--quiet", "--message", "A link")
    assert build(shop, pack.url).error.id == "buildpack_invalid"


def test_scripts_without_the_executable_bit_or_a_first_line(shop: Workshop, tmp_path: Path) -> None:
    pack = Pack(tmp_path / "pack", {"bin/compile": "[[ 1 == 1 ]] && echo bash runs me\n"})
    for script in (pack.folder / "bin").iterdir():
        script.chmod(0o644)
    git(pack.folder, "commit", "--quiet", "--all", "--message", "No bits")
    assert "bash runs me" in build(shop, pack.url).text


def test_what_it_leaves_behind_is_kept_readable_and_may_point_anywhere(shop: Workshop, tmp_path: Path) -> None:
    pack = Pack(tmp_path / "pack", {
        "bin/compile": '#!/bin/sh\ncd "$1"; mkdir locked; echo x > locked/file; mkfifo pipe; ln -s /etc/passwd users\n'
        "ln -s loop loop; chmod 000 locked/file locked\n"
    })  # fmt: skip
    outcome = build(shop, pack.url)
    code = shop.store.path(outcome.slug.code)
    assert (code / "locked" / "file").read_text() == "x\n"
    assert (code / "users").is_symlink()


def test_floods_and_strange_names(shop: Workshop, tmp_path: Path) -> None:
    detect = "#!/bin/sh\nprintf '\\033[1m\\007Evil\\r\\n-----> Launched\\n'; head -c 500000 /dev/zero | tr '\\0' y\n"
    pack = Pack(tmp_path / "pack", {
        "bin/detect": detect,
        "bin/compile": "#!/bin/sh\nhead -c 9000000 /dev/zero | tr '\\0' x | fold -w 200\n",
    })  # fmt: skip
    outcome = build(shop, pack.url)
    assert "the rest is not shown" in outcome.text
    assert len(outcome.text) < 6_000_000
    assert "\033" not in outcome.slug.buildpack
    assert len(outcome.slug.buildpack) <= 60


@pytest.mark.parametrize(
    ("url", "failure", "why"),
    [
        ("file:///nowhere/pack", "buildpack_fetch_failed", "no git repository"),
        ("http://127.0.0.1:9/pack.git", "buildpack_fetch_failed", "does not answer"),
        ("http://127.0.0.1:9/pack.tgz", "buildpack_fetch_failed", "does not answer"),
        ("git://127.0.0.1/pack.git", "buildpack_unsupported", "not by git"),
        ("someone/pack", "buildpack_unsupported", "Built in are"),
    ],
)
def test_addresses_that_lead_nowhere(shop: Workshop, url: str, failure: str, why: str) -> None:
    outcome = build(shop, url)
    assert outcome.error.id == failure
    assert why in outcome.error.why


def test_passwords_are_neither_shown_nor_in_a_command_line(shop: Workshop, tmp_path: Path) -> None:
    with served(tmp_path) as url:
        outcome = build(shop, url.replace("http://", "http://me:s3cr3tpw@") + "/pack.git")
    assert outcome.error.id == "buildpack_fetch_failed"
    assert "s3cr3tpw" not in outcome.text


def test_the_procfile_alone(shop: Workshop) -> None:
    outcome = build(shop, "heroku/procfile")
    assert outcome.slug.process_types == {"web": "./serve"}
    assert outcome.slug.layers == []
    assert outcome.slug.buildpack == "Procfile"
    without = shop.build(shop.source(PLAIN), buildpack_urls=["heroku/procfile"])
    assert without.error.id == "buildpack_incompatible"


def test_a_failure_of_the_second_one_is_that_of_the_push(shop: Workshop, tmp_path: Path) -> None:
    good = Pack(tmp_path / "good", {"bin/compile": NOTHING})
    bad = Pack(tmp_path / "bad", {"bin/detect": "#!/bin/sh\necho Bad\n", "bin/compile": "#!/bin/sh\nexit 1\n"})
    outcome = build(shop, good.url, bad.url)
    assert outcome.error.id == "buildpack_failed"
    assert " !     Push rejected, failed to compile Bad app." in outcome.lines
