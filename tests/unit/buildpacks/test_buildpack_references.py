from __future__ import annotations

import pytest

from homeport.buildpacks import BuildFailed, BuiltIn, FailureId, Remote
from homeport.buildpacks.references import parse, shown

EVERYTHING = {"HOMEPORT_BUILDPACK_SCHEMES": "http, file git ssh"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("heroku/python", BuiltIn.PYTHON),
        ("urn:buildpack:heroku/python", BuiltIn.PYTHON),
        ("https://github.com/heroku/heroku-buildpack-python", BuiltIn.PYTHON),
        ("https://github.com/heroku/heroku-buildpack-python.git", BuiltIn.PYTHON),
        ("https://github.com/heroku/heroku-buildpack-python#v250", BuiltIn.PYTHON),
        ("git@github.com:heroku/heroku-buildpack-python.git", BuiltIn.PYTHON),
        ("https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/python.tgz", BuiltIn.PYTHON),
        ("heroku/nodejs", BuiltIn.NODE),
        ("https://github.com/heroku/heroku-buildpack-nodejs.git", BuiltIn.NODE),
        ("https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/nodejs.tgz", BuiltIn.NODE),
        ("heroku/procfile", BuiltIn.PROCFILE),
        ("homeport/conda", BuiltIn.CONDA),
        ("https://github.com/conda/conda-buildpack", BuiltIn.CONDA),
        ("https://github.com/kennethreitz/conda-buildpack.git", BuiltIn.CONDA),
        ("https://github.com/timanovsky/subdir-heroku-buildpack.git", BuiltIn.SUBDIR),
    ],
)
def test_names_of_what_is_built_in(text: str, meant: BuiltIn) -> None:
    assert parse(text, {}) is meant


@pytest.mark.parametrize(
    ("text", "url", "ref", "archive"),
    [
        ("https://github.com/someone/heroku-buildpack-python", None, "", False),
        ("https://evil.example/heroku/heroku-buildpack-python", None, "", False),
        ("https://github.com.evil.example/heroku/heroku-buildpack-python", None, "", False),
        ("heroku/ruby", "https://github.com/heroku/heroku-buildpack-ruby", "", False),
        ("https://host.example/a/b.git#v1.2", "https://host.example/a/b.git", "v1.2", False),
        ("https://host.example/pack.tgz", "https://host.example/pack.tgz", "", True),
        ("https://host.example/pack.tar.gz#x", "https://host.example/pack.tar.gz", "", True),
        ("git@github.com:me/pack.git#main", "https://github.com/me/pack.git", "main", False),
        ("git://github.com/me/pack.git", "https://github.com/me/pack.git", "", False),
        ("ssh://git@gitlab.com/me/pack.git", "https://gitlab.com/me/pack.git", "", False),
        ("https://github.com/me/pack/tree/feature/x", "https://github.com/me/pack", "feature/x", False),
    ],
)
def test_addresses_of_others(text: str, url: str | None, ref: str, archive: bool) -> None:
    found = parse(text, {})
    assert isinstance(found, Remote)
    assert (found.url, found.ref, found.archive) == (url or text, ref, archive)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ruby",
        "someone/pack",
        "file:///etc",
        "http://host.example/pack.git",
        "git://host.example/pack.git",
        "git@host.example:me/pack.git",
        "ext::sh -c evil",
        "https:///nothing",
        "https://host.example/pack.git#--upload-pack=evil",
        "https://host.example/pack.git#a/../b",
        "javascript:alert(1)",
        "/etc/passwd",
        "-uevil",
    ],
)
def test_what_cannot_be_fetched_is_refused(text: str) -> None:
    with pytest.raises(BuildFailed) as caught:
        parse(text, {})
    assert caught.value.failure is FailureId.BUILDPACK_UNSUPPORTED


def test_the_operator_may_allow_more() -> None:
    for text in ("file:///srv/pack", "http://host.example/pack.git", "ssh://host.example/me/pack.git"):
        assert parse(text, EVERYTHING) == Remote(text, archive=False)


def test_a_password_is_taken_out_of_the_address() -> None:
    found = parse("https://me:s%40cret@host.example:8443/pack.git#v1", {})
    assert isinstance(found, Remote)
    assert (found.url, found.user_info) == ("https://host.example:8443/pack.git", "me:s@cret")
    assert "cret" not in f"{found} {found.title} {shown('https://me:s%40cret@host.example/pack.git')}"
    with pytest.raises(BuildFailed) as caught:
        parse("http://me:s3cret@host.example/pack.git", {})
    assert "s3cret" not in caught.value.message
