from articles.diffs import compare


def shown(old, new):
    """One string a line: its sign, then its text with what changed in brackets."""
    signs = {"same": " ", "added": "+", "removed": "-", "gap": "~"}
    return [
        signs[line.kind] + "".join(f"[{part.text}]" if part.changed else part.text for part in line.parts)
        for line in compare(old, new)
    ]


def test_words_within_a_line():
    assert shown("The green tea.", "The black tea.") == ["-The [green] tea.", "+The [black] tea."]


def test_another_sentence_is_not_marked_word_by_word():
    assert shown("Leaves are steeped.", "x y z") == ["-Leaves are steeped.", "+x y z"]


def test_lines_that_come_and_go():
    assert shown("a\nb", "a\nb\nc") == [" a", " b", "+c"]
    assert shown("a\nb", "b") == ["-a", " b"]
    assert shown("", "a") == ["+a"]
    assert shown("a", "a") == []


def test_what_is_far_from_a_change_is_left_out():
    lines = [str(number) for number in range(20)]
    changed = [*lines[:10], "new", *lines[10:]]
    assert shown("\n".join(lines), "\n".join(changed)) == ["~", " 8", " 9", "+new", " 10", " 11", "~"]
