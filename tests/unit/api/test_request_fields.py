from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.api import fields
from homeport.api.fields import Fields
from homeport.errors import BadRequest, Invalid

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.binary())
def test_any_bytes_are_fields_or_a_bad_request(raw: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert isinstance(fields.parse(raw).values, dict)


@given(json_values)
def test_any_value_is_read_or_refused_by_name(value: object) -> None:
    body = Fields({"it": value})
    readers: list[Callable[[], object]] = [
        lambda: body.text("it"),
        lambda: body.optional_text("it"),
        lambda: body.flag("it"),
        lambda: body.number("it", least=1, most=10),
        lambda: body.texts("it"),
        lambda: body.mapping("it"),
        lambda: body.nested("it"),
        lambda: body.items("it"),
        lambda: body.reference("it"),
    ]
    for read in readers:
        refused = _refused(read)
        assert refused is None or refused.what.startswith("it")


def _refused(read: Callable[[], object]) -> Invalid | None:
    try:
        read()
    except Invalid as error:
        return error
    return None


def test_right_values_are_read() -> None:
    body = Fields({"t": "x", "f": True, "n": 3, "s": "4", "l": ["a"], "o": {"name": "y"}, "os": [{"type": "web"}]})
    assert body.text("t") == "x"
    assert body.flag("f") is True
    assert body.flag("absent", default=True) is True
    assert (body.number("n", least=1, most=5), body.number("s", least=1, most=5)) == (3, 4)
    assert body.number("absent", least=1, most=5) is None
    assert body.texts("l") == ["a"]
    assert (body.reference("o"), body.reference("t"), body.reference("absent")) == ("y", "x", None)
    assert [item.text("type") for item in body.items("os")] == ["web"]
    assert ("t" in body, "absent" in body) == (True, False)


@pytest.mark.parametrize(("value", "meaning"), [(0, False), (1, True), ("true", True), ("False", False), ("0", False)])
def test_a_flag_may_be_written_as_clients_do(value: object, meaning: bool) -> None:
    assert Fields({"f": value}).flag("f", default=not meaning) is meaning


@pytest.mark.parametrize("value", ["yes", "", 2, -1, [], {}, 1.0])
def test_what_is_no_flag_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        Fields({"f": value}).flag("f")


def test_a_nested_field_is_named_with_its_way() -> None:
    with pytest.raises(Invalid, match=r"^updates\[1\]\.type is required\.$"):
        Fields({"updates": [{"type": "web"}, {}]}).items("updates")[1].text("type")
    with pytest.raises(Invalid, match=r"^source_blob\.url must be a string\.$"):
        Fields({"source_blob": {"url": 1}}).nested("source_blob").text("url")


def test_null_counts_as_left_out() -> None:
    body = Fields({"a": None})
    assert "a" not in body
    assert body.optional_text("a") is None
    assert body.flag("a") is False
    with pytest.raises(Invalid, match=r"^a is required\.$"):
        body.text("a")


@pytest.mark.parametrize("value", ["a\x00b", "x" * 70_000])
def test_a_string_that_nothing_behind_could_keep_is_refused(value: str) -> None:
    with pytest.raises(Invalid):
        Fields({"a": value}).optional_text("a")
