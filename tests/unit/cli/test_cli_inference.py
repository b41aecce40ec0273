"""From git remotes to an app."""

from __future__ import annotations

import pytest

from homeport.cli.errors import UsageError
from homeport.cli.inference import Candidate, Remote, app_of, candidates, decide, remotes_in

HOSTS = ("localhost:8443",)


def test_a_listing_of_remotes_is_read_by_where_they_fetch_from() -> None:
    listing = (
        "heroku\thttps://localhost:8443/demo.git (fetch)\n"
        "heroku\thttp://127.0.0.1:1/pushed-elsewhere.git (push)\n"
        "origin\tgit@github.com:ada/demo.git (fetch)\n"
        "odd name\t/path with spaces (fetch)\n"
        "\n"
    )
    assert remotes_in(listing) == [
        Remote("heroku", "https://localhost:8443/demo.git"),
        Remote("origin", "git@github.com:ada/demo.git"),
        Remote("odd name", "/path with spaces"),
    ]


@pytest.mark.parametrize(
    ("url", "app"),
    [
        ("https://localhost:8443/demo.git", "demo"),
        ("https://localhost:8443/demo", "demo"),
        ("git@localhost:demo.git", "demo"),
        ("ssh://git@localhost/demo.git", "demo"),
        ("ssh://git@localhost:2222/demo.git", "demo"),
        ("https://localhost:8444/demo.git", None),
        ("https://localhost/demo.git", None),
        ("http://localhost:8443/demo.git", None),
        ("https://git.heroku.com/demo.git", None),
        ("https://localhost:8443.example.com/demo.git", None),
        ("https://localhostx8443/demo.git", None),
        ("https://localhost:8443/ada/demo.git", None),
    ],
)
def test_a_url_names_an_app_only_on_our_host(url: str, app: str | None) -> None:
    assert app_of(url, HOSTS) == app


def test_candidates_can_be_narrowed_to_one_remote() -> None:
    remotes = [Remote("a", "https://localhost:8443/one.git"), Remote("b", "https://localhost:8443/two.git")]
    assert candidates(remotes, HOSTS) == [Candidate("one", "a"), Candidate("two", "b")]
    assert candidates(remotes, HOSTS, "b") == [Candidate("two", "b")]


def test_one_app_is_the_answer_however_many_remotes_lead_to_it() -> None:
    assert decide([Candidate("one", "a"), Candidate("one", "b")], asked_remote=None) == "one"
    assert decide([], asked_remote=None) is None


def test_two_apps_are_an_error_that_lists_them() -> None:
    with pytest.raises(UsageError) as raised:
        decide([Candidate("one", "heroku"), Candidate("two", "staging")], asked_remote=None)
    assert raised.value.id == "several_apps"
    assert raised.value.message == (
        "This checkout's git remotes lead to more than one app:\n"
        "  one (heroku)\n"
        "  two (staging)\n"
        "Say which one you mean: --remote staging, or --app two"
    )


def test_a_remote_that_leads_nowhere_is_an_error() -> None:
    with pytest.raises(UsageError) as raised:
        decide([], asked_remote="staging")
    assert raised.value.id == "remote_not_found"
