"""conda environments, from a channel that is made here."""

from __future__ import annotations

import fcntl
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from homeport.builds import Built
from tests.integration.builds.conda_channel import PREFIX, Made, machine_python, write_channel
from tests.integration.builds.packs import served
from tests.integration.builds.workshop import Outcome, Workshop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        platform.machine() not in ("x86_64", "aarch64"), reason="the channel is made for these machines"
    ),
]

PACKAGES = [
    Made("hello", "1.0", {
        "bin/hello": f"#!/bin/sh\necho hello from {PREFIX}\n",
        "etc/conda/activate.d/hello.sh": 'export HELLO="activated in $CONDA_PREFIX"\n',
    }, ["greeting >=2"]),
    Made("greeting", "1.0", {"share/greeting": "old"}),
    Made("greeting", "2.1", {"share/greeting": "new"}),
    Made("polite", "3.0", {"site-packages/polite.py": "WORD = 'please'\n"}, ["python"], noarch="python"),
]  # fmt: skip


@pytest.fixture(scope="session")
def channel(cache: Path) -> Path:
    """Made once for all workers."""
    folder = cache / "conda-channel"
    with (cache / "conda-channel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "noarch" / "repodata.json").exists():
            write_channel(folder, [*PACKAGES, machine_python()])
    return folder


Build = Callable[..., Outcome]


@pytest.fixture
def build(workshop: Workshop, channel: Path) -> Build:
    def build(
        environment: str, files: dict[str, str] | None = None, env: dict[str, str] | None = None, **more: object
    ) -> Outcome:
        texts = {"environment.yml": environment, "Procfile": "web: hello\n", **(files or {})}
        settings = {"HOMEPORT_CONDA_CHANNELS": channel.as_uri(), **(env or {})}
        return workshop.build(workshop.source("no python at all", texts), env=settings, **more)  # type: ignore[arg-type]

    return build


def start(shop: Workshop, slug: Built, command: str) -> str:
    """What a command prints in a dyno: `.profile.d` first, as `dynos` starts them."""
    app = shop.dyno(slug)
    script = f'for file in "$HOME"/.profile.d/*.sh; do [ -f "$file" ] && . "$file"; done\n{command}'
    env = {**shop.environment(slug, app), "HOME": str(app)}
    done = subprocess.run(["bash", "-c", script], cwd=app, env=env, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_an_environment_that_slugignore_takes_away(build: Build) -> None:
    files = {".slugignore": "/environment.yml\n"}
    error = build("dependencies: [hello]\n", files, buildpack_urls=["homeport/conda"]).error
    assert error.id == "buildpack_incompatible"
    assert "Your .slugignore takes out of the top folder before the build: environment.yml" in error.fix


def test_packages_know_where_they_are_and_are_activated(workshop: Workshop, build: Build) -> None:
    outcome = build("dependencies: [hello]\nvariables: {MODE: fast}\n")
    assert "-----> Python/Conda app detected" in outcome.lines
    assert "        + greeting 2.1 0" in outcome.lines
    layer = workshop.store.path(outcome.slug.layers[0])
    assert start(workshop, outcome.slug, "hello") == f"hello from {layer}"
    assert start(workshop, outcome.slug, 'echo "$HELLO, $MODE"') == f"activated in {layer}, fast"
    again = build("dependencies: [hello]\nvariables: {MODE: fast}\n")
    assert "Using cached conda environment" in again.text
    assert (again.slug.code, again.slug.layers) == (outcome.slug.code, outcome.slug.layers)


def test_python_with_what_pip_adds(workshop: Workshop, build: Build) -> None:
    environment = "dependencies: [polite, {pip: [idna==3.6, -r more.txt]}]\n"
    files = {"more.txt": "gunicorn==22.0.0\n", "app.py": "import polite, idna\nprint(polite.WORD, idna.__version__)\n"}
    outcome = build(environment, files)
    assert start(workshop, outcome.slug, "python app.py") == "please 3.6"
    assert "22.0.0" in start(workshop, outcome.slug, "gunicorn --version")
    layer = workshop.store.path(outcome.slug.layers[0])
    assert list(layer.glob("lib/python*/site-packages/__pycache__/polite.*.pyc"))
    assert build(environment, {**files, "more.txt": "gunicorn==21.2.0\n"}).slug.layers != outcome.slug.layers


def test_the_form_of_old_buildpacks_by_their_url(workshop: Workshop, channel: Path) -> None:
    files = {"conda-requirements.txt": "greeting<2\n", "requirements.txt": "idna==3.6\n", "Procfile": "web: x\n"}
    outcome = workshop.build(
        workshop.source("no python at all", files),
        env={"HOMEPORT_CONDA_CHANNELS": channel.as_uri()},
        buildpack_urls=["https://github.com/kennethreitz/conda-buildpack.git"],
    )
    assert "-----> Using buildpack: homeport/conda" in outcome.lines
    assert start(workshop, outcome.slug, "cat $CONDA_PREFIX/share/greeting; python -c 'import idna'") == "old"


def test_a_channel_over_http(workshop: Workshop, build: Build, channel: Path) -> None:
    with served(channel) as url:
        outcome = build("dependencies: [greeting=1.0]\n", env={"HOMEPORT_CONDA_CHANNELS": url})
    assert f"from {url}" in outcome.text
    assert start(workshop, outcome.slug, "cat $CONDA_PREFIX/share/greeting") == "old"


@pytest.mark.parametrize(
    ("environment", "failure", "said"),
    [
        ("dependencies: [hello, greeting<2]\n", "conda_solve_failed", "greeting"),
        ("dependencies: [no-such-package]\n", "conda_solve_failed", "no-such-package"),
        ("dependencies: ['hello ==== 1']\n", "conda_environment_invalid", "hello"),
        ("dependencies: hello\n", "conda_environment_invalid", "list"),
        ("dependencies: [{pip: [no-such-package-anywhere-17]}]\n", "requirement_unknown", "no-such-package"),
    ],
)
def test_failures(workshop: Workshop, build: Build, environment: str, failure: str, said: str) -> None:
    outcome = build(environment)
    assert outcome.error.id == failure, outcome.text
    assert said in outcome.error.message
    assert not list((workshop.home.slugs / "drafts").glob("*/conda-*"))


def test_a_channel_that_is_not_there(build: Build) -> None:
    for url in ("http://127.0.0.1:9/channel", "file:///no/such/channel"):
        outcome = build("dependencies: [hello]\n", env={"HOMEPORT_CONDA_CHANNELS": url})
        assert outcome.error.id == "conda_channel_unreachable", outcome.text


def test_a_worker_that_dies_is_not_believed(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killer = tmp_path / "python"
    killer.write_text("#!/bin/sh\nkill -SEGV $$\n")
    killer.chmod(0o755)
    monkeypatch.setattr("homeport.buildpacks.conda.install.sys.executable", str(killer))
    outcome = build("dependencies: [greeting]\n")
    assert outcome.error.id == "conda_install_failed"


def test_beside_requirements_the_python_buildpack_is_chosen(build: Build) -> None:
    outcome = build("dependencies: [hello]\n", {"requirements.txt": "idna==3.6\n"})
    assert outcome.slug.buildpack == "Python"
