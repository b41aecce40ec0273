from __future__ import annotations

import json
import time
from typing import Any

import pytest

from homeport.tracker.hidden import Hidden, new_key, seal, sensitive, unseal
from homeport.tracker.scrubbing import FILTERED, is_secret, scrub, scrub_text
from tests.unit.tracker.event_samples import crash, frame, raised

CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    "name",
    """
    password PASSWORD db_password userPassword passwd secret SECRET_KEY client_secret token access_token csrftoken
    X-Api-Key api_key Authorization HTTP_AUTHORIZATION Proxy-Authorization Cookie Set-Cookie sessionid credentials
    private_key AWS_SECRET_ACCESS_KEY card_number credit_card cvv cvc ssn pin DATABASE_URL SENTRY_DSN auth jwt pwd
    """.split(),
)
def test_names_that_say_what_they_are(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", "author authors key keys keyboard pinned sort_key session_count username id url".split()
)
def test_names_that_only_sound_so(name: str) -> None:
    assert not is_secret(name)


def test_values_under_such_names_go_wherever_they_are() -> None:
    raw = {
        "request": {
            "headers": {"Authorization": "Token abc", "User-Agent": "curl"},
            "cookies": {"sessionid": "s3cr3t", "theme": "dark"},
            "data": {"user": {"password": "hunter2", "name": "Ada", "tokens": ["t1", "t2"], "pin": 1234}},
            "query_string": [["token", "t0k3n"], ["page", "2"]],
            "env": {"REMOTE_ADDR": "1.2.3.4"},
        },
        "extra": {"nested": [{"api_key": {"inner": "k3y"}}], "empty": {"password": None, "cookies": {}}},
    }
    shown = json.dumps(scrub(raw))
    for secret in ("Token abc", "s3cr3t", "dark", "hunter2", "t1", "1234", "t0k3n", "k3y"):
        assert secret not in shown, secret
    assert all(kept in shown for kept in ("curl", "Ada", "1.2.3.4", '["page", "2"]'))
    assert scrub(raw)["extra"]["empty"] == {"password": None, "cookies": {}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://ada:pw@db.example.com/shop?x=1", f"postgres://{FILTERED}@db.example.com/shop?x=1"),
        ("redis://:pw@host", f"redis://{FILTERED}@host"),
        ("see https://example.com/a@b", "see https://example.com/a@b"),
        ("Authorization: Bearer abcdefgh.ijkl", f"Authorization: {FILTERED} {FILTERED}"),
        ("sent Bearer abcdefgh.ijkl on", f"sent Bearer {FILTERED} on"),
        ("eyJhbGciOi.eyJzdWIiOi.c2ln", FILTERED),
        ("key AKIAIOSFODNN7EXAMPLE is", f"key {FILTERED} is"),
        ("sk_live_abcdefgh1234", FILTERED),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x", f"{FILTERED} x"),
        (f"paid with {CARD}.", f"paid with {FILTERED}."),
        ("order 4111111111111112", "order 4111111111111112"),
        ("at 1790000000.1234567890123", "at 1790000000.1234567890123"),
        ("0000000000000000", "0000000000000000"),
        ("?user=ada&password=hunter2&x=1", f"?user=ada&password={FILTERED}&x=1"),
        ("{'password': 'hun ter2', 'a': 1}", f"{{'password': '{FILTERED}', 'a': 1}}"),
        ('{"api_key": "k3y"}', f'{{"api_key": "{FILTERED}"}}'),
        ("db_password=hunter2 rest", f"db_password={FILTERED} rest"),
        ("Lost the token of the user", "Lost the token of the user"),
    ],
)
def test_texts_that_look_like_secrets(text: str, shown: str) -> None:
    assert scrub_text(text) == shown
    assert scrub({"extra": {"note": text}})["extra"]["note"] == shown


def test_code_stays_readable_but_for_what_looks_like_a_secret_itself() -> None:
    own = frame(context_line="    token = read_token(request)", pre_context=["url = 'redis://:pw@host'"])
    (shown,) = scrub(crash(raised("E", "x", own)))["exception"]["values"][0]["stacktrace"]["frames"]
    assert shown["context_line"] == "    token = read_token(request)"
    assert shown["pre_context"] == [f"url = 'redis://{FILTERED}@host'"]
    assert shown["filename"] == "shop/views.py"


def test_variables_of_frames_are_looked_through() -> None:
    own = frame(
        vars={"password": "'hunter2'", "user": {"token": "'t'", "name": "'Ada'"}, "card": int(CARD.replace(" ", ""))}
    )
    (shown,) = scrub(crash(raised("E", "x", own)))["exception"]["values"][0]["stacktrace"]["frames"]
    assert shown["vars"] == {"password": FILTERED, "user": {"token": FILTERED, "name": "'Ada'"}, "card": FILTERED}


def test_control_characters_become_pictures() -> None:
    shown = scrub({"message": "a\x1b[2Jb\x9b2J\u202ec\nd\te", "tags": {"\x1b]0;x\x07": "1"}})
    assert shown == {"message": "a␛[2Jb\ufffd2J\ufffdc\nd\te", "tags": {"␛]0;x␇": "1"}}


def test_what_is_very_deep_or_long_is_cut() -> None:
    deep: Any = "end"
    for _ in range(200):
        deep = {"a": deep}
    assert "end" not in json.dumps(scrub({"extra": deep}))
    assert len(scrub({"extra": "x" * 100_000})["extra"]) == 8192


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a" * 500_000, "password" * 60_000, "://" * 100_000, "4 " * 200_000, "1" * 400_000, "eyJ" * 100_000,
        "-----BEGIN PRIVATE KEY-----" * 20_000, "bearer " * 70_000, "'" * 300_000, "token=" * 80_000,
    ],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    """Patterns that try all ways would take hours."""
    began = time.process_time()
    scrub({"message": text, "extra": {"a": [text[:5000]] * 100}})
    assert time.process_time() - began < 5


CONFIG = {
    "SECRET_KEY": "django-insecure-%3#x'y\"z\\w",
    "DATABASE_URL": "postgres://u1:p%40ss-word9@localhost:5432/db",
    "STRIPE": "Zk93jfX02mPq8sLw7Tn4",
    "DEBUG": "true",
    "STAGE": "production",
    "HOST": "https://www.example.com/",
    "PRIVATE_PEM": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAo\n-----END",
}


def test_which_config_vars_are_sensitive() -> None:
    values = sensitive(CONFIG)
    assert {CONFIG["SECRET_KEY"], CONFIG["DATABASE_URL"], "p%40ss-word9", "p@ss-word9", CONFIG["STRIPE"]} <= values
    assert not values & {"true", "production", CONFIG["HOST"]}
    assert sensitive({"NAME": "plainword"}) == set()
    assert sensitive({"NAME": "plainword"}, from_addons=["NAME"]) == {"plainword"}


def test_values_of_config_vars_are_not_readable_however_they_are_written() -> None:
    hidden = Hidden(frozenset(sensitive(CONFIG)))
    key = CONFIG["SECRET_KEY"]
    raw = crash(
        raised("E", f"bad key {key} and {key!r}", frame(vars={"settings": repr({"K": key}), "p": "u1:p@ss-word9"})),
        extra={"json": json.dumps({"k": key}), CONFIG["STRIPE"]: 1, "line": CONFIG["PRIVATE_PEM"].split("\n")[1]},
        request={"url": "https://x/?q=p%40ss-word9"},
        tags=[["a", CONFIG["STRIPE"]]],
    )
    shown = json.dumps(scrub(raw, hidden), ensure_ascii=False)
    for secret in ("django-insecure", "ss-word9", CONFIG["STRIPE"], "MHcCAQEEIIrYSSNQ"):
        assert secret not in shown, secret


def test_a_long_value_that_was_cut_off_is_not_readable_either() -> None:
    value = "Ab1" * 200
    shown = scrub_text(f"key is {value[:300]}... and more", Hidden(frozenset({value})))
    assert shown == f"key is {FILTERED} and more"


def test_numbers_that_are_secrets() -> None:
    assert scrub({"extra": {"n": 8261937405}}, Hidden(frozenset({"8261937405"})))["extra"]["n"] == FILTERED


def test_what_is_handed_over_is_sealed() -> None:
    key = new_key()
    sealed = seal(key, {"hidden": ["hunter2"]})
    assert "hunter2" not in sealed
    assert unseal(key, sealed) == {"hidden": ["hunter2"]}
    assert unseal(new_key(), sealed) is None
    assert unseal(key, "") is None
    assert unseal(key, sealed[:-8]) is None
    assert "hunter2" not in repr(Hidden(frozenset({"hunter2"})))
