"""Counting words, with NLTK's tokeniser, its list of stop words and its frequency distribution."""

from dataclasses import dataclass
from pathlib import Path

import nltk
from nltk.corpus import stopwords
from nltk.tokenize import RegexpTokenizer

# NLTK looks for its data in a list of folders. Ours comes with the app; what the build downloaded for `nltk.txt` is
# found too, by the variable NLTK_DATA.
nltk.data.path.insert(0, str(Path(__file__).parent.parent / "nltk_data"))

# Letters of any script, with apostrophes inside. This tokeniser is a pattern and needs no data.
WORDS = RegexpTokenizer(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Counted:
    """`words` are pairs of a word and how often it occurs, most frequent first, without stop words. `total` counts
    all words, stop words too; `distinct` the different ones among them."""

    words: list[tuple[str, int]]
    total: int
    distinct: int


def count(text: str, top: int) -> Counted:
    tokens = [token.replace("’", "'") for token in WORDS.tokenize(text.lower())]
    every = nltk.FreqDist(tokens)
    stops = frozenset(stopwords.words("english"))
    telling = [(word, number) for word, number in every.items() if len(word) > 1 and word not in stops]
    telling.sort(key=lambda pair: (-pair[1], pair[0]))  # the same order every time
    return Counted(telling[:top], total=every.N(), distinct=every.B())
