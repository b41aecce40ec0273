"""flaskr: a post lost on SQLite and kept on Postgres, and the other pitfalls of a first deploy."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e import browser
from tests.e2e.conftest import Cli
from tests.e2e.examples import copy, own_tests_pass, step
from tests.e2e.platform import Platform

CREATE_ALL = """\
from run import app, db
app.app_context().push()
db.create_all()
print("tables:", sorted(db.inspect(db.engine).get_table_names()))
"""


def register(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Register").click()
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("analytical engine")
    page.get_by_role("button", name="Register").click()


def write(page: Page, title: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Write").click()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text").fill("It weaves algebraic patterns.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def break_it(project: Path) -> None:
    """As a first deploy has it: no driver in the requirements, and a search that minds case on Postgres only."""
    for path, old, new in (
        ("requirements.txt", "psycopg[binary]==3.3.9\n", ""),
        ("flaskr/models.py", "column.icontains(words, autoescape=True)", 'column.like(f"%{words}%")'),
    ):
        text = (project / path).read_text()
        assert old in text
        (project / path).write_text(text.replace(old, new))


def test_flaskr(platform: Platform, cli: Cli, name: str) -> None:
    project = copy(platform, "flaskr", name)
    url = platform.url(name)

    with step("create says where the app is, and adds the remote"):
        created = cli("create", name, cwd=project).ok()
        git_url = f"{platform.endpoint['url']}/{name}.git"
        assert url in created.both
        assert git_url in created.both
        assert git_url in platform.git(project, "remote", "-v").ok().out
        cli("config:set", "SECRET_KEY=only-for-this-test-0123456789", cwd=project).ok()

    with step("a Procfile of the wrong case is refused, by its name"):
        platform.git(project, "mv", "Procfile", "procfile").ok()
        platform.commit(project, "As some machines see it")
        refused = platform.git(project, "push", "heroku", "main")
        assert refused.code != 0
        assert "git mv procfile Procfile" in refused.err

    with step("homeport check knew it before the push, and mends it"):
        knew = platform.homeport("check", cwd=project)
        assert knew.code == 1
        assert "procfile  procfile_misspelt" in knew.out
        mended = platform.homeport("check", "--fix", cwd=project).ok()
        assert "rename to Procfile" in mended.out
        platform.commit(project, "As it should be")
        assert "nothing found" in platform.homeport("check", "--strict", cwd=project).ok().out

    with step("the other pitfalls, found in the source"):
        break_it(project)
        knew = platform.homeport("check", cwd=project)
        assert knew.code == 1
        assert re.search(r"^flaskr/config\.py:\d+  postgres_driver$", knew.out, re.M)
        assert re.search(r"^flaskr/models\.py:\d+  like_search$", knew.out, re.M)
        platform.git(project, "checkout", ".").ok()

    with step("the push, and its release phase"):
        pushed = platform.git(project, "push", "heroku", "main").ok()
        assert "SQLite is used in flaskr/config.py" in pushed.err, "the build warns of the first pitfall"
        assert "Running upgrade  -> 0001, accounts and posts" in pushed.err
        assert f"{url}/ deployed to Homeport" in pushed.err

    with step("what was deployed, and nothing else"):
        listed = cli("run", "-x", "ls", cwd=project).ok().out.split()
        assert {"Procfile", "run.py", "flaskr", "migrations"} <= set(listed)
        assert "tests" not in listed

    with browser.page() as page:
        with step("on SQLite a post is lost with the dyno, as every page says"):
            page.goto(url)
            expect(page.get_by_role("note")).to_contain_text("This blog forgets")
            register(page)
            write(page, "Notes on the engine")
            assert "Notes on the engine" in platform.get(name)[1]
            cli("ps:restart", cwd=project).ok()
            platform.eventually(lambda: "Nothing written yet" in platform.get(name)[1], what="the fresh dyno")

        with step("a database, asked for as old tutorials do: the release phase makes its tables"):
            cli("addons:add", "heroku-postgresql:dev", cwd=project).ok()
            platform.eventually(lambda: "This blog forgets" not in platform.get(name)[1], 90, what="the database")
            assert "Nothing written yet" in platform.get(name)[1]
            assert "Running upgrade  -> 0001, accounts and posts" in cli("releases:output", cwd=project).ok().out

        with step("an empty database: the app says that it is"):
            cli("pg:reset", "DATABASE_URL", "--confirm", name, cwd=project).ok()
            cli("ps:restart", cwd=project).ok()  # it asks once per process
            platform.eventually(lambda: "flask --app run db upgrade" in platform.get(name)[1], what="empty tables")

        with step("tables made in a console, which the migrations have to be told"):
            made = cli("run", "-x", "python", "-", stdin=CREATE_ALL, cwd=project).ok()
            assert "tables: ['accounts', 'posts']" in made.both
            cli("run", "-x", "flask --app run db stamp head", cwd=project).ok()

        with step("on Postgres a post is kept, and found whatever its case"):
            page.goto(url)
            register(page)
            expect(page.get_by_role("note")).to_have_count(0)
            write(page, "Notes that stay")
            cli("ps:restart", cwd=project).ok()
            (project / "CHANGES").write_text("A deploy.\n")
            platform.commit(project, "A deploy")
            platform.git(project, "push", "heroku", "main").ok()
            assert "Notes that stay" in platform.get(name, "/?q=NOTES+THAT")[1]

    with step("debug mode left on is said"):
        cli("config:set", "FLASK_DEBUG=1", cwd=project).ok()
        platform.eventually(lambda: "Debug mode is on" in platform.get(name)[1], what="the warning")

    with step("a second database has a colour, and can be made the one"):
        cli("addons:create", "heroku-postgresql:dev", cwd=project).ok()
        settings_of = partial(cli, "config", cwd=project)
        colours = re.compile(r"HEROKU_POSTGRESQL_[A-Z]+_URL").findall
        platform.eventually(lambda: colours(settings_of().ok().out), 90, what="the end of the release command")
        colour = colours(settings_of().ok().out)[-1]
        second = cli("config:get", colour, cwd=project).ok().out.strip()
        cli("pg:promote", colour, cwd=project).ok()
        assert cli("config:get", "DATABASE_URL", cwd=project).ok().out.strip() == second

    with step("two apps and no --app: refused, with both named"):
        cli("create", f"{name}-staging", "--remote", "staging", cwd=project).ok()
        unclear = cli("ps", cwd=project)
        assert unclear.code != 0
        assert re.search("Multiple apps in git remotes|lead to more than one app", unclear.both)
        assert f"{name}-staging" in unclear.both
        assert "--remote" in unclear.both
        cli("ps", "--remote", "heroku", cwd=project).ok()


def test_the_tests_of_flaskr_pass(tmp_path: Path) -> None:
    own_tests_pass("flaskr", tmp_path)
