"""S3's XML, written and read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from .errors import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

Value = str | int | bool | Mapping[str, "Value"] | Sequence["Value"]
"""A text, fields in order, or several elements of one name."""


def write(root: str, fields: Mapping[str, Value], *, namespace: bool = True) -> bytes:
    """`{"Key": "a", "Part": [{…}, {…}]}` below an element `root`."""
    attribute = f' xmlns="{NAMESPACE}"' if namespace else ""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{attribute}>{"".join(_elements(fields))}</{root}>'
    return text.encode("utf-8", "replace")


def _elements(fields: Mapping[str, Value]) -> Iterator[str]:
    for name, value in fields.items():
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        for one in several:
            yield f"<{name}>{_content(one)}</{name}>"


def _content(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "".join(_elements(value))
    # Line ends would be normalized by readers, and other control characters can't stand in XML at all.
    text = escape(str(value), {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;", '"': "&quot;"})
    return "".join(letter if letter >= " " else "\ufffd" for letter in text)


def read(document: bytes, root: str) -> ElementTree.Element:
    """The element, without namespaces. Raises `S3Error` (`MalformedXML`)."""
    try:
        text = document.decode()  # read as nothing else, whatever it declares: a document type hides in UTF-16
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise malformed()
        found = ElementTree.fromstring(text)  # noqa: S314 - without a document type nothing can be expanded
    except (UnicodeDecodeError, ElementTree.ParseError):
        raise malformed() from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    if found.tag != root:
        raise malformed()
    return found


def texts(element: ElementTree.Element, name: str) -> list[str]:
    return [(child.text or "") for child in element.findall(name)]


def malformed() -> S3Error:
    return S3Error("MalformedXML", "The XML you provided was not well-formed or did not validate.")


def iso(milliseconds: int) -> str:
    """2026-01-01T00:00:00.000Z"""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03}Z"


def error(code: str, message: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    return write("Error", {"Code": code, "Message": message, **dict(fields)}, namespace=False)
