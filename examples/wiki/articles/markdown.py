"""From Markdown, as people write it, to HTML that is safe to show.

Two locks, because either may be picked: the renderer lets no HTML through, and what it makes is cleaned by nh3, which
knows what a page may contain. [[Title]] leads to another article of the wiki.
"""

from collections.abc import Callable

import nh3
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from .models import Article

TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre"),
    *("s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
CLASSES = {"a": {"missing"}}


def render(text: str) -> SafeString:
    existing = set(Article.objects.values_list("slug", flat=True)) if "[[" in text else set()
    html = _renderer(existing.__contains__).render(text)
    return mark_safe(
        nh3.clean(
            html,
            tags=TAGS,
            attributes=ATTRIBUTES,
            allowed_classes=CLASSES,
            url_schemes={"http", "https", "mailto"},
            link_rel="nofollow noopener",
        )
    )


def _renderer(exists: Callable[[str], bool]) -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

    def wiki_link(state: StateInline, silent: bool) -> bool:
        if not state.src.startswith("[[", state.pos):
            return False
        end = state.src.find("]]", state.pos, state.posMax)
        title = state.src[state.pos + 2 : end].strip()
        slug = Article.slug_of(title)
        if end == -1 or not slug:
            return False
        if not silent:
            there = exists(slug)
            link = state.push("link_open", "a", 1)
            link.attrs = {"href": reverse("article", args=[slug])} | ({} if there else {"class": "missing"})
            state.push("text", "", 0).content = title
            state.push("link_close", "a", -1)
        state.pos = end + 2
        return True

    renderer.inline.ruler.before("link", "wiki_link", wiki_link)
    return renderer
