import pytest

from wordcount.counting import count


def test_words_are_counted_without_regard_to_case_and_signs():
    counted = count("Whale! The whale, a WHALE; harpoon?", top=10)
    assert counted.words == [("whale", 3), ("harpoon", 1)]
    assert (counted.total, counted.distinct) == (6, 4)


@pytest.mark.parametrize("text", ["don't and it’s, you're", "a I x 12 3.14 __ --", ""])
def test_what_says_nothing_is_left_out(text):
    assert count(text, top=10).words == []


def test_other_scripts_have_words_too():
    assert count("кит, кит и café", top=2).words == [("кит", 2), ("café", 1)]


def test_the_most_frequent_come_first_and_ties_by_the_alphabet():
    assert count("b2 pear apple pear plum apple pear", top=2).words == [("pear", 3), ("apple", 2)]
    assert [word for word, _ in count("plum pear apple", top=3).words] == ["apple", "pear", "plum"]
