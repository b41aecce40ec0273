"""The pages people see when an app cannot answer, as HAProxy log-format files: one HTML page and one JSON body each.

A page is self-contained (no script, no font, no image from anywhere) and says what happened, what it means and
which command helps.
"""

from __future__ import annotations

import html
import json

from homeport.router.codes import CODES, NOTHING_HERE, Code

APP_NAME = "%[var(txn.route),field(3,/)]"
"""The log-format expression that HAProxy replaces by the app's name."""

HTML_TYPE = "text/html; charset=utf-8"
JSON_TYPE = "application/json"

_STYLE = """
:root { color-scheme: light dark; --ink: #26223a; --soft: #6b6780; --paper: #fbfafd; --card: #ffffff;
  --line: #e4e1ee; --mark: #6a4bd1; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece9f6; --soft: #a7a2bd; --paper: #17151f; --card: #211e2c;
  --line: #363148; --mark: #b49cff; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { width: min(40rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: clamp(1.5rem, 5vw, 3rem); }
h1 { margin: 0 0 .75rem; font-size: 1.55rem; line-height: 1.25; letter-spacing: -.01em; }
p { margin: 0 0 1.25rem; }
dl { margin: 1.75rem 0 0; padding-top: 1.25rem; border-top: 1px solid var(--line); }
dt { color: var(--soft); font-size: .9rem; }
dd { margin: .15rem 0 1rem; }
code { font: .92rem ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 1.75rem; color: var(--soft); font-size: .85rem; }
footer b { color: var(--mark); font-weight: 600; }
"""


def _literal(text: str) -> str:
    """Text as a log-format string means it: `%` introduces an expression there."""
    return text.replace("%", "%%")


def _with_app(text: str) -> str:
    return _literal(text).replace("{app}", APP_NAME)


def html_page(code: Code) -> str:
    """The page of a code, as a log-format file."""
    hints = "".join(
        f"<dt>{html.escape(why)}</dt><dd><code>{_with_app(html.escape(command))}</code></dd>\n"
        for why, command in code.hints
    )
    about = f"<b>{code.number}</b> {html.escape(code.description)} &middot; " if code.number else ""
    app = f"{APP_NAME} &middot; " if code.number else ""
    refresh = '<meta http-equiv="refresh" content="5">\n' if code.number == "H20" else ""
    return (
        "<!doctype html>\n"
        '<html lang="en">\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{refresh}"
        f"<title>{_literal(html.escape(code.title))}</title>\n"
        f"<style>{_literal(_STYLE)}</style>\n"
        "<main>\n"
        f"<h1>{_literal(html.escape(code.title))}</h1>\n"
        f"<p>{_literal(html.escape(code.meaning))}</p>\n"
        f"<dl>\n{hints}</dl>\n"
        f"<footer>{about}{app}Homeport</footer>\n"
        "</main>\n"
        "</html>\n"
    )


def json_body(code: Code) -> str:
    """The same for programs, in the shape of the API's errors, as a log-format file."""
    fix = " ".join(f"{why} {command}" for why, command in code.hints)
    body = {"id": code.id, "message": f"{code.title}{'' if code.title.endswith('.') else '.'} {code.meaning} {fix}"}
    if code.number:
        body["code"] = code.number
    return _with_app(json.dumps(body, ensure_ascii=False)) + "\n"


def files() -> dict[str, str]:
    """All page files, by name: `H10.html`, `H10.json`, …, `nothing.html`, `nothing.json`."""
    pages: dict[str, str] = {}
    for code in (*CODES.values(), NOTHING_HERE):
        if code.title:
            name = code.number or "nothing"
            pages[f"{name}.html"] = html_page(code)
            pages[f"{name}.json"] = json_body(code)
    return pages
