"""How the documentation becomes a website: `make docs` writes it to dist/site.

The source folder is the whole checkout, so that pages and the examples' READMEs link to each other as they do on a
code host, and one build checks every link. Pages are plain Markdown: the table of contents is added here.
"""

from __future__ import annotations

from sphinx.application import Sphinx

project = "Homeport"
extensions = ["myst_parser"]
root_doc = "docs/index"
source_suffix = {".md": "markdown"}
include_patterns = ["docs/*.md", "docs/*/*.md", "examples/README.md", "examples/*/README.md", "*.md"]
exclude_patterns = ["**/node_modules"]

CONTENTS = {
    "Learn": ["getting-started", "../examples/README", "../examples/*/README"],
    "Do": ["how-to/*"],
    "Look up": ["commands", "from-heroku", "*"],
    "How it is built": ["architecture", "decisions/README", "../CONTRIBUTING", "../README", "../CHANGELOG"],
}

myst_heading_anchors = 4
suppress_warnings = [
    "misc.highlighting_failure",  # what a console prints is in no language
    "toc.multiple_toc_parents",  # "*" is what no other part has named
]

html_theme = "furo"
html_title = "Homeport"
html_copy_source = False
html_show_sourcelink = False


def _add_contents(_app: Sphinx, page: str, source: list[str]) -> None:
    if page == root_doc:
        source[0] += "".join(_toctree(pages, f":caption: {caption}", ":hidden:") for caption, pages in CONTENTS.items())
    elif page == "docs/decisions/README":
        source[0] += _toctree(["[0-9]*"])


def _toctree(pages: list[str], *options: str) -> str:
    return "\n".join(["", "```{toctree}", ":glob:", *options, "", *pages, "```", ""])


def setup(app: Sphinx) -> None:
    app.connect("source-read", _add_contents)
