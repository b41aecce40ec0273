from __future__ import annotations

import pytest

from homeport.buildpacks.classic.release import Metadata, parse


def test_what_real_buildpacks_answer() -> None:
    text = """\
---
addons:
  - heroku-postgresql:hobby-dev
config_vars:
  PATH: /app/.heroku/vendor/bin:/usr/bin
  LD_LIBRARY_PATH: /app/.heroku/lib
  OTHER: /opt/app/bin
  PORT: 3
default_process_types:
  web: bin/serve --port $PORT
  worker: 7
"""
    assert parse(text) == Metadata(
        process_types={"web": "bin/serve --port $PORT", "worker": "7"},
        config_vars={
            "PATH": "{app}/.heroku/vendor/bin:/usr/bin",
            "LD_LIBRARY_PATH": "{app}/.heroku/lib",
            "OTHER": "/opt/app/bin",
        },
        addons=["heroku-postgresql:hobby-dev"],
    )


@pytest.mark.parametrize("text", ["", "---\n", "--- {}", "{}", "default_process_types:\n", "addons: nonsense\n"])
def test_nothing_to_say(text: str) -> None:
    assert parse(text) == Metadata()


@pytest.mark.parametrize(
    "text", ["- a\n- b\n", "web: a: b\n", "!!python/object:os.system {}", "[" * 5000, "just words"]
)
def test_what_is_no_answer(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_placeholders_of_ours_cannot_be_smuggled_in() -> None:
    made = parse("config_vars:\n  A: '{layer:python-1}/x {app}'\n")
    assert "{" not in made.config_vars["A"]


def test_names_that_no_process_type_may_have_are_left_out() -> None:
    made = parse('default_process_types:\n  "we b": a\n  ok: b\n  empty: " "\n  web: {nested: true}\n')
    assert made.process_types == {"ok": "b"}
