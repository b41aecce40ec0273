"""What changed between two texts, line by line, and within a changed line word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

AROUND = 2  # unchanged lines shown around a change


@dataclass(frozen=True)
class Part:
    text: str
    changed: bool


@dataclass(frozen=True)
class Line:
    """`kind` is one of same, added, removed, and gap: lines left out because nothing happened there."""

    kind: str
    parts: tuple[Part, ...] = ()


def compare(old: str, new: str) -> list[Line]:
    before, after = old.splitlines(), new.splitlines()
    lines: list[Line] = []
    end = 0  # of what has been shown of `after`
    for group in SequenceMatcher(a=before, b=after, autojunk=False).get_grouped_opcodes(AROUND):
        if group[0][3] > end:
            lines.append(Line("gap"))
        for kind, a1, a2, b1, b2 in group:
            if kind == "equal":
                lines += [Line("same", (Part(text, False),)) for text in after[b1:b2]]
            else:
                lines += _changed(before[a1:a2], after[b1:b2])
        end = group[-1][4]
    if lines and end < len(after):
        lines.append(Line("gap"))
    return lines


def _changed(removed: list[str], added: list[str]) -> list[Line]:
    """All that went, then all that came. Lines that stand at the same place are compared word by word."""
    pairs = [_words(old, new) for old, new in zip_longest(removed, added)]
    olds = [Line("removed", old) for old, _ in pairs[: len(removed)]]
    return olds + [Line("added", new) for _, new in pairs[: len(added)]]


def _words(old: str | None, new: str | None) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    if old is None or new is None:
        return (Part(old or "", False),), (Part(new or "", False),)
    before, after = re.findall(r"\w+|\s+|[^\w\s]", old), re.findall(r"\w+|\s+|[^\w\s]", new)
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    if matcher.ratio() < 0.4:  # another sentence: marking every word would only confuse
        return (Part(old, False),), (Part(new, False),)
    codes = matcher.get_opcodes()
    return (
        tuple(_parts((before[a1:a2], kind) for kind, a1, a2, _, _ in codes)),
        tuple(_parts((after[b1:b2], kind) for kind, _, _, b1, b2 in codes)),
    )


def _parts(pieces: Iterator[tuple[list[str], str]]) -> Iterator[Part]:
    for words, kind in pieces:
        if words:
            yield Part("".join(words), kind != "equal")
