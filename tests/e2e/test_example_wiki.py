"""wiki: the release phase, a superuser, edits with their history, and a picture that survives a deploy."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e import browser
from tests.e2e.conftest import Cli
from tests.e2e.examples import copy, own_tests_pass, picture, step
from tests.e2e.platform import Platform

PASSWORD = "analytical engine"


def log_in(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Log in").click()
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out ada")).to_be_visible()


def save_with(page: Page, url: str, drawing: Path) -> None:
    page.goto(f"{url}/wiki/green-tea/edit")
    page.get_by_role("button", name="Picture:", exact=True).set_input_files(drawing)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Green tea")).to_be_visible()


def picture_is_there(page: Page, url: str) -> bool:
    page.goto(f"{url}/wiki/green-tea")
    image = page.get_by_role("img", name="Green tea")
    return bool(image.evaluate("image => image.decode().then(() => image.naturalWidth > 0, () => false)"))


def text_of(page: Page, url: str) -> str:
    page.goto(url)
    return page.locator("body").inner_text()


def test_wiki(platform: Platform, cli: Cli, name: str, tmp_path: Path) -> None:
    project = copy(platform, "wiki", name)
    url, drawing = platform.url(name), picture(tmp_path / "tea.png")

    with step("an app, its settings, its database"):
        cli("create", name, cwd=project).ok()
        cli("config:set", "SECRET_KEY=only-for-this-test-0123456789", "WEB_CONCURRENCY=1", cwd=project).ok()
        cli("addons:create", "heroku-postgresql:hobby-dev", cwd=project).ok()

    with step("a push from another branch: static files in the build, migrations before any visitor"):
        platform.git(project, "switch", "-q", "-c", "draft").ok()
        pushed = platform.git(project, "push", "heroku", "draft:main").ok()
        assert "manage.py collectstatic" in pushed.err
        assert "Applying articles.0001_articles_and_revisions... OK" in pushed.err
        assert f"{url}/ deployed to Homeport" in pushed.err

    with step("a superuser, by a one-off dyno"):
        command = "python manage.py createsuperuser --noinput --username ada --email ada@example.com"
        made = cli("run", "-x", "--env", f"DJANGO_SUPERUSER_PASSWORD={PASSWORD}", command, cwd=project).ok()
        assert "Superuser created successfully" in made.both

    with browser.page() as page:
        with step("an article and an edit, with its history"):
            page.goto(url)
            style = page.evaluate("getComputedStyle(document.body).maxWidth")
            assert style != "none", "the collected static files are not served"
            log_in(page)
            page.get_by_role("navigation").get_by_role("link", name="New article").click()
            page.get_by_label("Title").fill("Green tea")
            page.get_by_label("Text").fill("Leaves of the **tea** plant.")
            page.get_by_role("button", name="Save").click()
            page.get_by_role("link", name="Edit").click()
            page.get_by_label("Text").fill("Young leaves of the **tea** plant.")
            page.get_by_role("button", name="Save").click()
            expect(page.locator("strong")).to_have_text("tea")
            page.get_by_role("link", name="History").click()
            page.get_by_role("link", name="Revision 2").click()
            expect(page.locator("ins")).to_contain_text("Young")
            page.get_by_label("Search the wiki").fill("YOUNG")
            page.get_by_label("Search the wiki").press("Enter")
            expect(page.get_by_role("link", name="Green tea")).to_be_visible()

        with step("a picture on the dyno's disk is gone at the next config change, as admins are told"):
            save_with(page, url, drawing)
            expect(page.get_by_role("alert")).to_contain_text("heroku addons:create bucketeer:hobbyist")
            assert picture_is_there(page, url)
            cli("config:set", "GREETING=hello", cwd=project).ok()
            platform.eventually(lambda: not picture_is_there(page, url), what="the fresh dyno")

        with step("a picture in the bucket stays, whatever happens to dynos"):
            cli("addons:create", "bucketeer:hobbyist", cwd=project).ok()
            config = partial(cli, "config", cwd=project)
            platform.eventually(lambda: "BUCKETEER" in config().ok().out, 60, what="the end of the release command")
            shown = config().ok().out
            for variable in ("BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
                assert f"BUCKETEER_{variable}" in shown
            platform.eventually(lambda: "bucketeer" not in text_of(page, url), what="dynos that know the bucket")
            save_with(page, url, drawing)
            assert picture_is_there(page, url)
            address = page.get_by_role("img", name="Green tea").get_attribute("src")
            assert address is not None
            assert "/public/articles/" in address
            assert "?" not in address
            (project / "CHANGES").write_text("A deploy.\n")
            platform.commit(project, "A deploy")
            platform.git(project, "push", "heroku", "draft:main").ok()
            cli("ps:restart", cwd=project).ok()
            platform.eventually(lambda: platform.get(name, "/up") == (200, "ok\n"), what="the fresh dyno")
            assert picture_is_there(page, url)


def test_the_tests_of_wiki_pass(tmp_path: Path) -> None:
    own_tests_pass("wiki", tmp_path)
