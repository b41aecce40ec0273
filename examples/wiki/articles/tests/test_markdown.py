from html.parser import HTMLParser

import pytest

from articles.markdown import render


class Elements(HTMLParser):
    """Every element of a page, with its attributes, as a browser sees them."""

    def __init__(self):
        super().__init__()
        self.all = []

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Tea\n\n**green** ~~black~~", "<h1>Tea</h1>\n<p><strong>green</strong> <s>black</s></p>"),
        ("[x](https://example.com)", '<p><a href="https://example.com" rel="nofollow noopener">x</a></p>'),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("a [[ b", "<p>a [[ b</p>"),
        ("[[]] [[?]]", "<p>[[]] [[?]]</p>"),
        ("`[[Tea]]`", "<p><code>[[Tea]]</code></p>"),
    ],
)  # fmt: skip
def test_markdown(db, text, html):
    assert render(text).strip() == html


def test_links_within_the_wiki(tea):
    html = render("[[green tea]] and [[Oolong <b>]]")
    assert '<a href="/wiki/green-tea" rel="nofollow noopener">green tea</a>' in html
    assert '<a href="/wiki/oolong-b" class="missing" rel="nofollow noopener">Oolong &lt;b&gt;</a>' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        "![x](https://example.com/x.png)",
        "<a href='javascript:alert(1)'>x</a>",
        '[x](https://e.com "onmouseover=alert(1)")',
    ],
)
def test_nothing_harmful_gets_through(db, text):
    found = Elements()
    found.feed(render(text))
    assert {tag for tag, _ in found.all} <= {"p", "a"}
    for _, attributes in found.all:
        assert set(attributes) <= {"href", "rel", "title"}
        assert attributes.get("href", "https://").startswith("https://")
