import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport import config
from homeport.errors import HomeportError, Invalid

values = st.dictionaries(st.text(min_size=1), st.text())


@given(values)
def test_what_is_sealed_opens_again(variables: dict[str, str]) -> None:
    vault = config.Vault(config.Vault.new_key())
    assert vault.open(vault.seal(variables)) == variables


def test_another_key_opens_nothing_and_says_why() -> None:
    sealed = config.Vault(config.Vault.new_key()).seal({"A": "1"})
    with pytest.raises(HomeportError) as caught:
        config.Vault(config.Vault.new_key()).open(sealed)
    assert caught.value.id == "vault_key_wrong"


def test_none_and_the_empty_string_remove() -> None:
    assert config.merge({"A": "1", "B": "2"}, {"A": None, "B": "", "C": "3"}) == {"C": "3"}


def test_numbers_and_booleans_become_strings() -> None:
    assert config.merge({}, {"A": 1, "B": True}) == {"A": "1", "B": "true"}


@pytest.mark.parametrize("name", ["", "A=B", "A B", "A\n", "PORT", "x" * 256, "A\x00"])
def test_names_that_cannot_be_variables_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        config.merge({}, {name: "1"})


@pytest.mark.parametrize("value", [["a"], {"a": 1}, "a\x00b", "x" * 70_000])
def test_values_that_cannot_be_variables_are_refused(value: object) -> None:
    with pytest.raises(Invalid):
        config.merge({}, {"A": value})
