"""A bucket's CORS rules: what is kept, and what they say to a browser (Amazon S3 User Guide, "Using CORS")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from xml.etree.ElementTree import Element

from . import markup
from .errors import S3Error, access_denied
from .markup import Value

MAX_RULES = 100
METHODS = {"GET", "PUT", "POST", "DELETE", "HEAD"}

Rule = Mapping[str, Sequence[str]]
"""By S3's element names: AllowedOrigin, AllowedMethod, AllowedHeader, ExposeHeader, MaxAgeSeconds, ID."""

ELEMENTS = ("ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds")


def parse(document: bytes) -> str:
    """Rules as they are kept, of S3's XML. Raises `S3Error` (`MalformedXML`, `InvalidRequest`)."""
    rules = [_rule(element) for element in markup.read(document, "CORSConfiguration").findall("CORSRule")]
    if not 0 < len(rules) <= MAX_RULES:
        raise markup.malformed()
    return json.dumps(rules)


def render(kept: str) -> bytes:
    """Raises `S3Error` (`NoSuchCORSConfiguration`)."""
    rules: list[dict[str, Value]] = json.loads(kept)
    if not rules:
        raise S3Error("NoSuchCORSConfiguration", "The CORS configuration does not exist")
    return markup.write("CORSConfiguration", {"CORSRule": rules})


def preflight(kept: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The answer's headers. Raises `S3Error` (`AccessDenied`) if no rule allows it."""
    origin, method = headers.get("origin", ""), headers.get("access-control-request-method", "")
    asked = [name.strip().lower() for name in headers.get("access-control-request-headers", "").split(",")]
    wanted = [name for name in asked if name]
    for rule in _rules(kept):
        if _allows(rule, origin, method) and all(_is_any(name, _lower(rule, "AllowedHeader")) for name in wanted):
            granted = _granted(rule, origin)
            if wanted:
                granted["Access-Control-Allow-Headers"] = ", ".join(wanted)
            if ages := rule.get("MaxAgeSeconds"):
                granted["Access-Control-Max-Age"] = ages[0]
            return granted
    raise access_denied("CORSResponse: This CORS request is not allowed.")


def granted(kept: str, method: str, headers: Mapping[str, str]) -> dict[str, str]:
    """What is added to the answer of an actual request; nothing if no rule allows it."""
    origin = headers.get("origin")
    if origin is None or kept == "[]":
        return {}
    return next((_granted(rule, origin) for rule in _rules(kept) if _allows(rule, origin, method)), {})


def _granted(rule: Rule, origin: str) -> dict[str, str]:
    anyone = "*" in rule["AllowedOrigin"]
    headers = {
        "Access-Control-Allow-Origin": "*" if anyone else origin,
        "Access-Control-Allow-Methods": ", ".join(rule["AllowedMethod"]),
        "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    }
    if not anyone:
        headers["Access-Control-Allow-Credentials"] = "true"
    if exposed := rule.get("ExposeHeader"):
        headers["Access-Control-Expose-Headers"] = ", ".join(exposed)
    return headers


def _rule(element: Element) -> dict[str, list[str]]:
    if {child.tag for child in element} - set(ELEMENTS):
        raise markup.malformed()
    rule = {name: found for name in ELEMENTS if (found := markup.texts(element, name))}
    methods, ages = rule.get("AllowedMethod", []), rule.get("MaxAgeSeconds", [])
    if not methods or not rule.get("AllowedOrigin"):
        raise markup.malformed()
    if unknown := set(methods) - METHODS:
        raise S3Error("InvalidRequest", f"Found unsupported HTTP method in CORS config: {min(unknown)[:20]}.")
    if any(value.count("*") > 1 for value in (*rule["AllowedOrigin"], *rule.get("AllowedHeader", []))):
        raise S3Error("InvalidRequest", "An AllowedOrigin or AllowedHeader can not have more than one wildcard.")
    if len(ages) > 1 or not all(age.isascii() and age.isdigit() and len(age) < 10 for age in ages):
        raise markup.malformed()
    if any(not value.isprintable() for values in rule.values() for value in values):
        raise markup.malformed()
    return rule


def _rules(kept: str) -> list[Rule]:
    rules: list[Rule] = json.loads(kept)
    return rules


def _allows(rule: Rule, origin: str, method: str) -> bool:
    return method in rule["AllowedMethod"] and _is_any(origin, rule["AllowedOrigin"])


def _lower(rule: Rule, name: str) -> list[str]:
    return [value.lower() for value in rule.get(name, ())]


def _is_any(value: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(value, pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in patterns)
