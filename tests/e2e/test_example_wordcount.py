"""wordcount: two apps from one repository, each with web, worker, Redis and Postgres."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e import browser
from tests.e2e.conftest import Cli
from tests.e2e.examples import copy, own_tests_pass, step
from tests.e2e.platform import Platform

TEXT = "The whale rose, and the sea rose with the whale; then the whale was gone."


def test_wordcount(platform: Platform, cli: Cli, name: str) -> None:
    project = copy(platform, "wordcount", name)
    staging, prod = f"{name}-staging", f"{name}-prod"

    with step("settings from their templates"):
        shutil.copyfile(project / "env-template", project / ".env")
        shutil.copyfile(project / "slugignore-template", project / ".slugignore")
        platform.commit(project, "Leave the tests at home")
        assert ".env" not in platform.git(project, "ls-files").ok().out.split()

    with step("two apps from one repository"):
        cli("create", staging, "--remote", "staging", cwd=project).ok()
        cli("create", prod, "--remote", "prod", cwd=project).ok()
        assert platform.git(project, "remote").out.split() == ["prod", "staging"]

    with step("staging, pushed before anything is configured, says what is missing"):
        pushed = platform.git(project, "push", "staging", "main").ok()
        assert "files matching .slugignore patterns" in pushed.err
        status, shown = platform.get(staging)
        assert status == 503
        assert "heroku addons:create heroku-postgresql" in shown
        assert "heroku addons:create heroku-redis" in shown

    with step("a database, a queue and settings for each"):
        for remote, settings in (("staging", "config.StagingConfig"), ("prod", "config.ProductionConfig")):
            cli("addons:create", "heroku-postgresql:hobby-dev", "--remote", remote, cwd=project).ok()
            cli("addons:create", "heroku-redis:mini", "--remote", remote, cwd=project).ok()
            small = ("WEB_CONCURRENCY=1", "WORKER_CONCURRENCY=1")
            cli("config:set", f"APP_SETTINGS={settings}", *small, "--remote", remote, cwd=project).ok()
        shown = cli("config", "--remote", "prod", cwd=project).ok().out
        for variable in ("DATABASE_URL", "REDIS_URL", "APP_SETTINGS"):
            assert variable in shown

    with step("the tables of staging, made by the release phase when its database came"):
        settings_of = partial(platform.homeport, "config", "--remote", "staging", cwd=project)
        platform.eventually(lambda: "APP_SETTINGS" in settings_of().ok().out, 90, what="the last of the settings")
        logged = platform.homeport("logs", "-n", "1500", "--remote", "staging", cwd=project).ok().out
        assert "Running upgrade 0002 -> 0003" in logged

    with step("and looked at by hand"):
        current = cli("run", "-x", "flask", "db", "current", "--app", staging, cwd=project).ok()
        assert "0003 (head)" in current.both

    with step("production, pushed when all is there: its tables are made by the release phase"):
        pushed = platform.git(project, "push", "prod", "main").ok()
        assert "Running upgrade 0002 -> 0003" in pushed.err

    with step("a count waits for a worker, and the page says what starts one"), browser.page() as page:
        cli("ps:scale", "worker=0", "--remote", "staging", cwd=project).ok()
        listed = partial(cli, "ps", "--remote", "staging", cwd=project)
        platform.eventually(lambda: "worker.1" not in listed().ok().out, what="no worker")
        page.goto(platform.url(staging))
        expect(page.get_by_text("staging", exact=True)).to_be_visible()
        page.get_by_label("A text").fill(TEXT)
        page.get_by_role("button", name="Count the words").click()
        expect(page.get_by_role("status")).to_contain_text("heroku ps:scale worker=1", timeout=60_000)

        with step("the worker counts, and the page draws"):
            cli("ps:scale", "web=1", "worker=1", "--remote", "staging", cwd=project).ok()
            words = page.get_by_role("list", name="The most frequent words").get_by_role("listitem")
            expect(words.first).to_have_text("whale3", timeout=90_000)
            expect(words.nth(1)).to_have_text("rose2")
            widths = [
                words.nth(index).evaluate("bar => parseFloat(getComputedStyle(bar, '::before').width)")
                for index in (0, 1)
            ]
            assert 0.6 < widths[1] / widths[0] < 0.73, "bars are not as long as their words are frequent"
            expect(page.locator("#total")).to_have_text("15")

        with step("nobody gets the worker to knock on inner doors"):
            page.goto(platform.url(staging))
            page.get_by_label("The address of a page").fill("http://127.0.0.1:5432/")
            page.get_by_role("button", name="Count the words").click()
            expect(page.get_by_role("status")).to_contain_text("not on the public internet", timeout=60_000)

    with step("the log shows that it was the worker"):
        logged = cli("logs", "-n", "1500", "--dyno", "worker", "--remote", "staging", cwd=project).ok().out
        assert "app[worker.1]" in logged
        assert "wordcount.tasks.count" in logged
        assert "succeeded" in logged

    with step("staging to production by the identical slug"):
        cli("pipelines:create", name, "--app", staging, "--stage", "staging", cwd=project).ok()
        cli("pipelines:add", name, "--app", prod, "--stage", "production", cwd=project).ok()
        promoted = cli("pipelines:promote", "--app", staging, cwd=project).ok()
        assert prod in promoted.both
        assert f"Promote {staging}" in cli("releases", "--app", prod, cwd=project).ok().out

    with step("down and up again in the history of the tables"):
        down = cli("run", "-x", "flask db downgrade && flask db current", "--app", staging, cwd=project).ok()
        assert "Running downgrade 0003 -> 0002" in down.both
        assert "0002" in down.out
        up = cli("run", "-x", "flask db upgrade && flask db history", "--app", staging, cwd=project).ok()
        assert "Running upgrade 0002 -> 0003" in up.both
        assert "0002 -> 0003 (head)" in up.out

    with step("production has data of its own"):
        assert platform.get(prod)[0] == 200
        assert "staging" not in platform.get(prod)[1]
        rows = cli("pg:psql", "--app", prod, "-c", "SELECT 'rows=' || count(*) FROM counts").ok()
        assert "rows=0" in rows.out


def test_the_tests_of_wordcount_pass(tmp_path: Path) -> None:
    own_tests_pass("wordcount", tmp_path)
