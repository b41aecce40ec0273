"""A password or a key stands in the code.

Whoever sees the repository has it, for ever: git keeps what was deleted. A SECRET_KEY that others know lets them
log in as anybody. Secrets are config vars:

    heroku config:set SECRET_KEY=$(openssl rand -base64 40)
    SECRET_KEY = os.environ["SECRET_KEY"]

A key of a cloud or payment service is an error, a SECRET_KEY a warning, also where it is what counts as long as the
variable is not set. Keys of classes and files for development and tests are let be. The key itself is never shown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from homeport.doctor import django
from homeport.doctor.findings import Finding, error, warning
from homeport.doctor.project import Project
from homeport.doctor.source import Source, assigned, keyword, reads_environment, text_of

_KEYS = (
    ("a key of Amazon's", re.compile(r"\bAKIA[0-9A-Z]{16}\b")),
    ("a live key of Stripe's", re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}")),
    ("a token of GitHub's", re.compile(r"\bgh[pousr]_[0-9A-Za-z]{36}")),
    ("a key of SendGrid's", re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}")),
    ("a private key", re.compile(r"-----BEGIN (RSA |EC |OPENSSH )?PRIVATE KEY-----")),
    ("an address with a password", re.compile(
        r"^(?:postgres(?:ql)?(?:\+\w+)?|mysql(?:\+\w+)?|rediss?|amqps?|mongodb(?:\+srv)?)://[^:/@\s{%]*:[^@/\s{%]{3,}@"
        r"(?!localhost|127\.|db[:/]|postgres[:/]|redis[:/]|host[:/]|example\.)[\w-]+\.[\w.-]+")),
)  # fmt: skip
_NAMES = ("SECRET_KEY", "secret_key", "JWT_SECRET_KEY", "SECURITY_PASSWORD_SALT")
_FIX = (
    "Read it from the environment, and set it once:\n\n"
    '  SECRET_KEY = os.environ["SECRET_KEY"]\n\n  heroku config:set SECRET_KEY=$(openssl rand -base64 40)'
)
_WHY = "Sessions are signed with it: whoever reads the repository can log in as anybody."


def find(project: Project) -> Iterator[Finding]:
    for source in project.running:
        for node, text in source.strings:
            kind = next((kind for kind, pattern in _KEYS if pattern.search(text)), None)
            if kind is not None and not source.for_home(node):
                yield error(
                    source.path,
                    node.lineno,
                    f"{kind[0].upper()}{kind[1:]} stands in the code.",
                    why="Whoever reads the repository can use it, and git keeps it when you delete the line.",
                    fix="Make it invalid where it was issued, and put a new one into a config var:\n\n"
                    "  heroku config:set NAME=…",
                )
    settings = django.settings(project)
    if settings is not None:
        setting = settings.get("SECRET_KEY")
        if setting is not None and not setting.source.for_home(setting.node):
            yield from _said(setting.source, setting.value, setting.line)
        return
    for source in project.running:
        yield from _flask(source)


def _flask(source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        for name, value in assigned(node):
            if name in _NAMES and not (source.conditional(node) or source.for_home(node) or _overridden(source, node)):
                yield from _said(source, value, value.lineno)


def _overridden(source: Source, node: ast.AST) -> bool:
    """`from_mapping(SECRET_KEY="dev")` before a file or the environment is read: Flask's tutorial."""
    function = source.function_of(node)
    readers = source.calls("from_pyfile", "from_prefixed_env", "from_envvar", "from_object", "from_file")
    return isinstance(node, ast.Call) and any(source.function_of(call) is function for call in readers)


def _said(source: Source, value: ast.expr, line: int) -> Iterator[Finding]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes) and value.value:
        yield warning(source.path, line, "The secret key stands in the code.", why=_WHY, fix=_FIX)
    elif _default(value):
        what = "As long as SECRET_KEY is not set, the secret key is one that stands in the code."
        fix = _FIX.replace('os.environ["SECRET_KEY"]', 'os.environ.get("SECRET_KEY") or secrets.token_hex(32)')
        yield warning(source.path, line, what, why=_WHY, fix=fix)


def _default(value: ast.expr) -> bool:
    """`os.environ.get("SECRET_KEY", "dev")`, `config("SECRET_KEY", default="dev")`, and the same by `or`."""
    if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) and reads_environment(value.values[0]):
        return bool(text_of(value.values[-1]))
    if isinstance(value, ast.Call) and reads_environment(value.func):
        return bool(text_of(keyword(value, "default") or (value.args[1] if len(value.args) > 1 else None)))
    return False
