from __future__ import annotations

from datetime import date

import pytest

from homeport.buildpacks import FailureId
from homeport.buildpacks.python import repairs
from homeport.buildpacks.python.diagnosis import Diagnosis
from homeport.buildpacks.python.explanations import explain, explain_clashes, offer
from homeport.buildpacks.python.known import CLASHES, clashes, python_limit
from homeport.buildpacks.python.repairs import Facts, Remedy
from homeport.buildpacks.python.uv import Plan

FACTS = Facts(python=(3, 8, 18), pins={"flask": "1.1.2", "jinja2": "2.9"})
BUILD = Diagnosis(FailureId.REQUIREMENT_BUILD_FAILED, "thing", "1.0")


def diagnosis(failure: FailureId, **fields: str) -> Diagnosis:
    return Diagnosis(failure, **{"package": "thing", "version": "1.0", **fields})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (BUILD, [Remedy.NEAREST_WHEEL]),
        (diagnosis(FailureId.REQUIREMENT_BUILD_FAILED, package="psycopg2"),
         [Remedy.BINARY_PSYCOPG2, Remedy.NEAREST_WHEEL]),
        (diagnosis(FailureId.REQUIREMENT_OLD_SETUPTOOLS), [Remedy.OLD_SETUPTOOLS, Remedy.NEAREST_WHEEL]),
        (diagnosis(FailureId.REQUIREMENT_OLD_CYTHON), [Remedy.OLD_CYTHON, Remedy.NEAREST_WHEEL]),
        (diagnosis(FailureId.REQUIREMENT_UNKNOWN, package="pkg-resources"), [Remedy.LEAVE_OUT]),
        (diagnosis(FailureId.REQUIREMENT_UNKNOWN), []),
        (diagnosis(FailureId.REQUIREMENT_WINDOWS_ONLY), [Remedy.LEAVE_OUT]),
        (diagnosis(FailureId.REQUIREMENT_NO_SUCH_VERSION), [Remedy.NEAREST]),
        (diagnosis(FailureId.REQUIREMENT_NO_SUCH_VERSION, needs="2021-01-01"), [Remedy.LATER]),
        (diagnosis(FailureId.REQUIREMENTS_CONFLICT, package="", version=""), [Remedy.AS_PINNED]),
        (diagnosis(FailureId.INDEX_UNREACHABLE), []),
        (diagnosis(FailureId.REQUIREMENT_HASH_MISMATCH), []),
        (diagnosis(FailureId.REQUIREMENT_BUILD_FAILED, version=""), []),
    ],
)  # fmt: skip
def test_what_may_help(found: Diagnosis, expected: list[Remedy]) -> None:
    assert repairs.remedies(found, FACTS) == expected


def test_what_was_tried_is_not_tried_again() -> None:
    found = diagnosis(FailureId.REQUIREMENT_OLD_CYTHON)
    applied = frozenset({(Remedy.OLD_CYTHON, "")})
    assert repairs.remedies(found, FACTS, applied) == [Remedy.NEAREST_WHEEL]
    applied |= {(Remedy.NEAREST_WHEEL, "thing")}
    assert repairs.remedies(found, FACTS, applied) == []


def test_setuptools_of_before_66_is_not_tried_where_it_cannot_run() -> None:
    found = diagnosis(FailureId.REQUIREMENT_OLD_SETUPTOOLS, line="use_2to3 is invalid")
    assert repairs.remedies(found, Facts(python=(3, 12, 1))) == [Remedy.NEAREST_WHEEL]
    newer = diagnosis(FailureId.REQUIREMENT_OLD_SETUPTOOLS, line="Invalid dash-separated key")
    assert Remedy.OLD_SETUPTOOLS in repairs.remedies(newer, Facts(python=(3, 12, 1)))


@pytest.mark.parametrize(
    ("line", "limit"),
    [("cannot import name 'Feature'", "<46"), ("use_2to3 is invalid", "<58"), ("no 'pkg_resources'", "<66")],
)
def test_how_old_a_setuptools_has_to_be(line: str, limit: str) -> None:
    found = diagnosis(FailureId.REQUIREMENT_OLD_SETUPTOOLS, line=line)
    plan, said = repairs.apply(Remedy.OLD_SETUPTOOLS, found, Plan(), FACTS, None)
    assert plan.build_constraints == (f"setuptools{limit}",)
    assert f"setuptools{limit}" in said


def test_a_later_limit_takes_the_place_of_an_earlier_one() -> None:
    plan = Plan(build_constraints=("setuptools<66", "Cython<3"))
    found = diagnosis(FailureId.REQUIREMENT_OLD_SETUPTOOLS, line="use_2to3")
    assert repairs.apply(Remedy.OLD_SETUPTOOLS, found, plan, FACTS, None)[0].build_constraints == (
        "Cython<3", "setuptools<58",
    )  # fmt: skip


def test_the_binary_psycopg2_takes_the_place_of_the_other() -> None:
    found = diagnosis(FailureId.REQUIREMENT_BUILD_FAILED, package="psycopg2", version="2.7.4")
    assert repairs.question(Remedy.BINARY_PSYCOPG2, found) == ("psycopg2-binary", True)
    plan, said = repairs.apply(Remedy.BINARY_PSYCOPG2, found, Plan(), FACTS, "2.8.4")
    assert (plan.excludes, plan.requirements) == (("psycopg2",), ("psycopg2-binary==2.8.4",))
    assert "psycopg2-binary 2.8.4 in place of psycopg2 2.7.4" in said


def test_the_nearest_version_overrides_what_everybody_asks_for() -> None:
    plan, said = repairs.apply(Remedy.NEAREST_WHEEL, BUILD, Plan(overrides=("thing==1.0",)), FACTS, "1.2")
    assert plan.overrides == ("thing==1.2",)
    assert "thing 1.2 in place of 1.0" in said


def test_pins_are_taken_as_they_stand_but_for_what_was_repaired() -> None:
    plan = Plan(overrides=("jinja2==2.11",))
    found = diagnosis(FailureId.REQUIREMENTS_CONFLICT)
    assert repairs.apply(Remedy.AS_PINNED, found, plan, FACTS, None)[0].overrides == ("jinja2==2.11", "flask==1.1.2")


def test_paths_of_other_machines_become_names() -> None:
    facts = Facts(python=(3, 11, 7), foreign={"file:///a": "six", "file:///b": "idna"})
    found = diagnosis(FailureId.REQUIREMENT_FOREIGN_PATH, package="six", version="", needs="file:///a")
    assert repairs.remedies(found, facts) == [Remedy.ANY_VERSION]
    assert repairs.apply(Remedy.ANY_VERSION, found, Plan(), facts, None)[0].overrides == ("idna", "six")


def test_every_remedy_says_what_it_does() -> None:
    for remedy in Remedy:
        before = Plan()
        plan, said = repairs.apply(
            remedy, diagnosis(FailureId.REQUIREMENT_BUILD_FAILED, needs="2020-04-03"), before,
            Facts(python=(3, 8, 18), pins={"flask": "1"}, foreign={"file:///a": "six"}), "1.1",
        )  # fmt: skip
        assert plan != before
        assert said.endswith(".")


def test_clashes_of_installed_versions() -> None:
    packages = {"flask": "1.1.2", "jinja2": "3.1.4", "werkzeug": "3.0.1", "itsdangerous": "1.1.0"}
    assert [(clash.other, clash.cap) for clash in clashes(packages)] == [("jinja2", "<3.1"), ("werkzeug", "<2.1")]
    assert list(clashes({"flask": "3.0.3", "jinja2": "3.1.4", "werkzeug": "3.0.3"})) == []
    assert list(clashes({"flask": "not a version", "jinja2": "3.1.4"})) == []


def test_a_limit_is_a_constraint_unless_the_app_pins_that_package() -> None:
    jinja2 = next(clash for clash in CLASHES if clash.other == "jinja2")
    free = repairs.cap(jinja2, Plan(), Facts(python=(3, 8)), "jinja2 3.1.4")[0]
    pinned = repairs.cap(jinja2, Plan(), FACTS, "jinja2 3.1.4")[0]
    locked = repairs.cap(jinja2, Plan(dependencies=False), Facts(python=(3, 8)), "jinja2 3.1.4")[0]
    assert free.constraints == ("jinja2<3.1",)
    assert pinned.overrides == locked.overrides == ("jinja2<3.1",)


@pytest.mark.parametrize(
    ("pins", "python"),
    [
        ({"django": "2.2.12"}, (3, 11)),
        ({"django": "4.0.1", "numpy": "1.16.4"}, (3, 7)),
        ({"sqlalchemy": "2.0.20"}, (3, 12)),
        ({"django": "5.0", "sqlalchemy": "1.4.40"}, None),
        ({"django": "nonsense"}, None),
    ],
)
def test_the_newest_python_that_pins_run_on(pins: dict[str, str], python: tuple[int, int] | None) -> None:
    limit = python_limit(pins)
    assert (limit.python if limit else None) == python


TODAY = date(2026, 1, 1)


def test_an_old_commit_is_offered_its_time() -> None:
    text = offer(True, Facts(python=(3, 13), commit_day=date(2020, 4, 20)), today=TODAY)
    assert "heroku config:set HOMEPORT_RESOLVE_BEFORE=auto" in text
    assert "Python 3.8" in text
    named = offer(True, Facts(python=(3, 13), commit_day=date(2020, 4, 20), python_named="runtime.txt"), today=TODAY)
    assert "Python 3.8" not in named


def test_a_young_commit_is_offered_repairs_if_there_are_any() -> None:
    facts = Facts(python=(3, 13), commit_day=date(2025, 12, 1))
    assert "heroku config:set HOMEPORT_REPAIR=auto" in offer(True, facts, today=TODAY)
    assert offer(False, facts, today=TODAY) == ""


def test_nothing_is_offered_that_was_allowed_already() -> None:
    assert "heroku config:set HOMEPORT" not in explain(BUILD, FACTS, allowed=True).fix
    assert "heroku config:set HOMEPORT_REPAIR=auto" in explain(BUILD, FACTS, allowed=False).fix


def test_every_failure_of_an_installation_is_explained() -> None:
    for failure in FailureId:
        if failure.startswith(("requirement_", "index_", "git_", "dependencies_")):
            explained = explain(diagnosis(failure, line="the line", needs="what"), FACTS, allowed=False)
            assert explained.failure is failure
            assert explained.what.endswith((".", "what"))
            assert explained.why
            assert explained.fix


def test_a_lock_file_is_not_edited_by_hand() -> None:
    facts = Facts(python=(3, 13), file="pyproject.toml", relock="poetry lock")
    assert "poetry lock" in explain(BUILD, facts, allowed=False).fix


def test_clashes_are_explained_with_the_lines_to_add() -> None:
    found = [(clash, "3.1.4") for clash in clashes({"flask": "1.1.2", "jinja2": "3.1.4"})]
    failure = explain_clashes(found, FACTS)
    assert failure.failure is FailureId.REQUIREMENTS_CLASH_AT_BOOT
    assert "  jinja2<3.1" in failure.fix
