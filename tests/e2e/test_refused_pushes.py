"""Bad input: the push is refused with a reason, and what served goes on serving."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.platform import Platform, Result
from tests.e2e.projects import SERVER, hello


@pytest.fixture
def served(platform: Platform, name: str) -> Path:
    """An app that answers "v1 hello /"; each test brings its own mistake."""
    project = platform.project(name, hello())
    platform.homeport("create", name, cwd=project).ok()
    platform.git(project, "push", "heroku", "main").ok()
    return project


def push(platform: Platform, project: Path, files: dict[str, str]) -> Result:
    for path, content in files.items():
        (project / path).write_text(content)
    platform.commit(project, "A mistake")
    return platform.git(project, "push", "heroku", "main")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"requirements.txt": "there-is-no-such-package-at-all==9.9\n"}, "there-is-no-such-package-at-all"),
        ({"requirements.txt": "this is not a requirement\n"}, "requirements.txt"),
        ({".python-version": "3.99\n"}, "3.99"),
        ({"Procfile": "web\n"}, "Procfile"),
        ({"Procfile": "web: python server.py\nrelease: exit 7\n"}, "failed with exit code 7"),
        ({"server.py": "raise SystemExit('no settings module')\n"}, "no settings module"),
        ({"bin_post": "", "requirements.txt": "flask==0.0.0.0.1\n"}, "flask"),
    ],
    ids=["unknown-package", "broken-requirements", "no-such-python", "bad-procfile", "release", "crash", "no-version"],
)
def test_a_mistake_is_refused_and_the_old_release_serves(
    platform: Platform, name: str, served: Path, files: dict[str, str], said: str
) -> None:
    before = platform.homeport("releases", "--json", cwd=served).ok()
    refused = push(platform, served, files)
    assert refused.code == 1, refused.both
    assert said in refused.err
    assert "pre-receive hook declined" in refused.err
    assert platform.get(name) == (200, "v1 hello /\n")
    current = platform.homeport("releases", "--json", cwd=served).ok()
    assert [r["version"] for r in _current(current)] == [r["version"] for r in _current(before)]
    mended = push(platform, served, {**hello("v2"), **dict.fromkeys([".python-version"], "3.11\n")})
    assert mended.code == 0, mended.err
    assert platform.get(name) == (200, "v2 hello /\n")


def _current(listed: Result) -> list[dict[str, object]]:
    import json

    return [release for release in json.loads(listed.out) if release["current"]]


def test_a_first_deploy_that_crashes_is_released_and_said_loudly(platform: Platform, name: str) -> None:
    project = platform.project(
        name, hello(files={"server.py": "import os\nos.environ['SECRET']\n" + SERVER.format(version="v1")})
    )
    platform.homeport("create", name, cwd=project).ok()
    pushed = platform.git(project, "push", "heroku", "main").ok()
    assert "is released, but it does not run" in pushed.err
    assert "KeyError: 'SECRET'" in pushed.err
    platform.eventually(lambda: platform.get(name)[0] == 503, what="the page of a crashed app")
    platform.homeport("config:set", "SECRET=1", cwd=project).ok()
    platform.eventually(lambda: platform.get(name) == (200, "v1 hello /\n"), what="the app with its config var")


def test_a_misspelt_procfile_is_told(platform: Platform, name: str) -> None:
    files = hello()
    files["procfile"] = files.pop("Procfile")
    project = platform.project(name, files)
    platform.homeport("create", name, cwd=project).ok()
    refused = platform.git(project, "push", "heroku", "main")
    assert refused.code == 1
    assert "procfile" in refused.err
    assert "Procfile" in refused.err


def test_other_branches_are_stored_and_said_so(platform: Platform, name: str, served: Path) -> None:
    platform.git(served, "checkout", "-q", "-b", "experiment").ok()
    (served / "server.py").write_text(SERVER.format(version="experiment"))
    platform.commit(served)
    stored = platform.git(served, "push", "heroku", "experiment").ok()
    assert "stored, not deployed" in stored.err
    assert platform.get(name) == (200, "v1 hello /\n")
    platform.git(served, "push", "heroku", "experiment:main").ok()
    assert platform.get(name) == (200, "experiment hello /\n")
    cloned = platform.git(served.parent, "clone", "-q", f"{platform.endpoint['url']}/{name}.git", f"{name}-clone").ok()
    assert cloned.code == 0
    assert (served.parent / f"{name}-clone/server.py").read_text() == SERVER.format(version="experiment")


def test_a_push_with_a_wrong_token_is_refused(platform: Platform, name: str, served: Path) -> None:
    wrong = {**platform.environment, "HEROKU_API_KEY": "wrong"}
    refused = platform.git(served, "push", "heroku", "main", environment=wrong)
    assert refused.code != 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/apps", "{not json", "400"),
        ("POST", "/apps", "[]", "400"),
        ("POST", "/apps", '{"name": 5}', "422"),
        ("POST", "/apps", '{"name": "../../etc"}', "422"),
        ("GET", "/apps/..%2f..%2fetc", "", "404"),
        ("PATCH", "/apps/{name}/formation", '{"updates": "web"}', "422"),
        ("GET", "/no/such/thing", "", "404"),
    ],
)
def test_malformed_requests_get_an_error_with_an_id(
    platform: Platform, name: str, method: str, path: str, body: str, status: str
) -> None:
    if "{name}" in path:
        platform.homeport("create", name, "--no-remote").ok()
    asked = platform.run(
        "curl", "-sS", "--path-as-is", "--cacert", platform.endpoint["ca"], "-X", method, "-d", body,
        "-H", f"Authorization: Bearer {platform.environment['HEROKU_API_KEY']}", "-H", "Content-Type: application/json",
        "-w", "\n%{http_code}", platform.endpoint["url"] + path.replace("{name}", name),
    ).ok()  # fmt: skip
    answer, _, code = asked.out.rpartition("\n")
    assert code == status, answer
    import json

    assert set(json.loads(answer)) >= {"id", "message"}
