"""What readers and writers can do."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from articles.models import Article, EditConflict, Revision
from articles.tests.conftest import drawing


def edit(client, article, text, based_on, **more):
    return client.post(f"/wiki/{article.slug}/edit", {"text": text, "based_on": based_on, **more}, follow=True)


@pytest.mark.django_db
def test_an_empty_wiki_invites(client):
    assert "Nothing is written yet" in client.get("/").content.decode()


def test_a_new_article_is_there_for_everybody(ada, client):
    page = ada.post("/new", {"title": "  Black   tea ", "text": "See [[Green tea]]."}, follow=True)
    assert page.request["PATH_INFO"] == "/wiki/black-tea"
    shown = client.get("/wiki/black-tea").content.decode()
    assert "Black tea" in shown
    assert 'class="missing"' in shown
    assert "Changed by ada" in shown


def test_titles_of_other_scripts(ada):
    page = ada.post("/new", {"title": "Чай", "text": "x"}, follow=True)
    assert page.status_code == 200
    assert ada.get("/wiki/чай/history").status_code == 200


@pytest.mark.parametrize(
    ("title", "why"),
    [("green TEA", "already"), ("?!", "letter or a digit"), ("", "required"), ("ﷺ" * 120, "too long")],
)
def test_titles_that_cannot_be(ada, tea, title, why):
    page = ada.post("/new", {"title": title, "text": "kept"}).content.decode()
    assert why in page
    assert "kept" in page


def test_every_edit_is_in_the_history_with_what_it_changed(ada, tea):
    assert "Leaves in water." in edit(ada, tea, "Leaves in water.\r\n", 1, summary="Water").content.decode()
    assert "Water · ada" in ada.get("/wiki/green-tea/history").content.decode()
    assert "<ins> in water</ins>" in ada.get("/wiki/green-tea/history/2").content.decode()


def test_an_edit_without_a_change_is_no_revision(ada, tea):
    edit(ada, tea, "Leaves.", 1)
    assert Revision.objects.count() == 1


def test_nobody_overwrites_what_they_have_not_seen(ada, tea):
    edit(ada, tea, "First.", 1)
    page = edit(ada, tea, "Second.", 1).content.decode()
    assert "while you were writing" in page
    assert "Second." in page
    tea.refresh_from_db()
    assert tea.text == "First.\n"
    assert 'name="based_on" value="2"' in page
    assert "Second." in edit(ada, tea, "First and Second.", 2).content.decode()
    with pytest.raises(EditConflict):
        tea.revise("x", by=User.objects.get(), based_on=1)


def test_back_to_an_old_revision(ada, tea):
    edit(ada, tea, "Nonsense", 1)
    ada.post("/wiki/green-tea/history/1/restore")
    tea.refresh_from_db()
    assert tea.text == "Leaves.\n"
    assert tea.revisions.first().summary == "Back to revision 1"


def test_writing_needs_an_account(client, tea):
    for path in ("/new", "/wiki/green-tea/edit"):
        assert client.get(path).url == f"/accounts/login/?next={path}"
    assert client.post("/wiki/green-tea/history/1/restore").status_code == 302
    assert Revision.objects.count() == 1
    assert Client(enforce_csrf_checks=True).post("/accounts/login/", {}).status_code == 403


def test_log_in_and_out(client, user):
    page = client.post("/accounts/login/", {"username": "ada", "password": "analytical engine"}, follow=True)
    assert "Log out ada" in page.content.decode()
    assert "Log in" in client.post("/accounts/logout/", follow=True).content.decode()


def test_search_ignores_case_and_wants_every_word(client, tea):
    Article.objects.create(title="Coffee", slug="coffee", text="Beans, not leaves.")
    page = client.get("/?q=LEAVES").content.decode()
    assert "Green tea" in page
    assert "Coffee" in page
    page = client.get("/?q=leaves+GREEN").content.decode()
    assert "Green tea" in page
    assert "Coffee" not in page
    assert "None yet" in client.get("/?q=%25").content.decode()
    assert "Green tea" in client.get("/?q=green%00").content.decode()


def test_a_missing_article_can_be_written(client, db):
    page = client.get("/wiki/white-tea")
    assert page.status_code == 404
    assert "/new?title=White%20tea" in page.content.decode()
    assert client.get("/nowhere").status_code == 404


def test_a_picture_is_kept_shown_replaced_and_removed(ada, tea):
    edit(ada, tea, "Leaves.", 1, picture=drawing())
    tea.refresh_from_db()
    first = tea.picture.name
    assert f'src="/media/{first}"' in ada.get("/wiki/green-tea").content.decode()
    edit(ada, tea, "Leaves.", 1, picture=drawing())
    tea.refresh_from_db()
    assert tea.picture.name != first
    assert not tea.picture.storage.exists(first)
    edit(ada, tea, "Leaves.", 1, remove_picture="on")
    tea.refresh_from_db()
    assert not tea.picture
    assert "<img class" not in ada.get("/wiki/green-tea").content.decode()


def test_a_file_that_is_no_picture_is_refused_and_the_text_kept(ada, tea):
    page = edit(ada, tea, "New text", 1, picture=SimpleUploadedFile("x.png", b"<script>")).content.decode()
    assert "not a picture that we can read" in page
    assert "New text" in page


def test_a_picture_that_came_with_a_conflict_has_to_be_chosen_again(ada, tea):
    edit(ada, tea, "First.", 1)
    assert "choose the picture" in edit(ada, tea, "Second.", 1, picture=drawing()).content.decode()
    assert "choose the picture" not in edit(ada, tea, "Second.", 1).content.decode()


def test_what_goes_wrong_is_said_on_a_page_of_ours(ada, monkeypatch):
    too_much = ada.post("/new", {"title": "Tea", "text": "word " * 1_000_000})
    assert too_much.status_code == 400
    assert "too much at once" in too_much.content.decode()
    monkeypatch.setattr(Article.objects, "about", lambda words: 1 / 0)
    ada.raise_request_exception = False
    broken = ada.get("/")
    assert broken.status_code == 500
    assert "in the log" in broken.content.decode()


def test_what_will_be_lost_is_said(client, ada, user, monkeypatch):
    assert "addons:create" not in client.get("/").content.decode()
    monkeypatch.setenv("DYNO", "web.1")
    assert "heroku-postgresql" in client.get("/").content.decode()
    assert "bucketeer" not in ada.get("/").content.decode()
    user.is_staff = True
    user.save()
    assert "bucketeer" in ada.get("/").content.decode()


def test_the_admin_shows_articles(tea, admin_client):
    assert "Green tea" in admin_client.get("/admin/articles/article/").content.decode()
    assert admin_client.get(f"/admin/articles/article/{tea.pk}/change/").status_code == 200


@pytest.mark.django_db
def test_up_answers(client):
    assert client.get("/up").content == b"ok\n"


@pytest.mark.django_db
def test_the_migrations_are_complete():
    call_command("makemigrations", "--check", "--dry-run")
