"""The buildpack registry that the CLI asks for names: `buildpacks:set heroku/python`, `buildpacks:search`, `:info`.

https://devcenter.heroku.com/articles/buildpack-registry. The CLI turns a name into the registry's `blob_url`, stores
that with the app, and shows it as the name again.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from sqlalchemy.orm import Session

from homeport.api.exchange import Call, Reply
from homeport.api.shapes import EPOCH, Shape, fixed_id
from homeport.errors import NotFound

_BLOB = "https://buildpack-registry.s3.amazonaws.com/buildpacks/{name}.tgz"
_NAME_OF_BLOB = re.compile(r"https://buildpack-registry\.s3\.amazonaws\.com/buildpacks/([\w-]+/[\w-]+)\.tgz")


@dataclass(frozen=True)
class Entry:
    """A buildpack of the registry."""

    name: str  # "heroku/python"
    description: str
    source: str  # where Heroku's own of this name lives, OWNER/REPOSITORY on GitHub
    built_in: bool = True


REGISTRY = (
    Entry(
        "heroku/python",
        "Python: pip, Pipenv, Poetry and uv projects, installed by uv",
        "heroku/heroku-buildpack-python",
    ),
    Entry("heroku/nodejs", "Node.js: npm, Yarn and pnpm projects", "heroku/heroku-buildpack-nodejs"),
    Entry("heroku/procfile", "Nothing but the Procfile: the source is run as it is", "heroku/procfile-cnb"),
    Entry("homeport/conda", "Python and more from conda channels, by environment.yml", "conda/conda-buildpack"),
    *(
        Entry(f"heroku/{name}", f"{what}: Heroku's own, fetched from GitHub", f"heroku/heroku-buildpack-{name}", False)
        for name, what in (
            ("apt", "Debian packages"),
            ("chrome-for-testing", "Chrome and its driver"),
            ("clojure", "Clojure"),
            ("go", "Go"),
            ("gradle", "Gradle"),
            ("java", "Java"),
            ("jvm", "Java's virtual machine"),
            ("php", "PHP"),
            ("pgbouncer", "PgBouncer in each dyno"),
            ("ruby", "Ruby"),
            ("scala", "Scala"),
        )
    ),
)


def name_of(url: str) -> str | None:
    """The registry's name for one of its URLs."""
    match = _NAME_OF_BLOB.fullmatch(url)
    return match[1] if match else None


def url_of(name: str) -> str | None:
    """The URL that stands for a name, if the registry has it."""
    return _BLOB.format(name=name) if any(entry.name == name for entry in REGISTRY) else None


def search(call: Call, _session: Session) -> Reply:
    """`buildpacks:search`: by `in[namespace][]`, `in[name][]`, `like[description]`; every condition must hold."""
    namespaces, names = call.query.getlist("in[namespace][]"), call.query.getlist("in[name][]")
    words = call.query.getlist("like[description]")
    found = [
        entry
        for entry in REGISTRY
        if (not namespaces or entry.name.partition("/")[0] in namespaces)
        and (not names or entry.name.partition("/")[2] in names)
        and all(word.lower() in entry.description.lower() for word in words)
    ]
    return Reply([_registered(entry) for entry in found])


def info(call: Call, _session: Session) -> Reply:
    return Reply(_registered(_entry(call)))


def revisions(call: Call, _session: Session) -> Reply:
    entry = _entry(call)
    revision = {
        "created_at": EPOCH,
        "id": fixed_id("buildpack-revision", entry.name),
        "license": "Apache-2.0",
        "release": call.core.version,
        "status": "published",
    }
    return Reply([revision])


def readme(call: Call, _session: Session) -> Reply:
    entry = _entry(call)
    where = "Built into Homeport" if entry.built_in else f"https://github.com/{entry.source}"
    text = f"{entry.description}. {where}.\n"
    return Reply({"content": base64.b64encode(text.encode()).decode(), "encoding": "base64"})


def _entry(call: Call) -> Entry:
    for entry in REGISTRY:
        if call.params["buildpack"] in (entry.name, fixed_id("buildpack", entry.name)):
            return entry
    raise NotFound("buildpack", "Couldn't find that buildpack in this registry.", fix="Name it by its git URL.")


def _registered(entry: Entry) -> Shape:
    namespace, _, name = entry.name.partition("/")
    owner, _, repository = entry.source.partition("/")
    return {
        "blob_url": _BLOB.format(name=entry.name),
        "category": "languages",
        "created_at": EPOCH,
        "description": entry.description,
        "id": fixed_id("buildpack", entry.name),
        "name": name,
        "namespace": namespace,
        "source": {"type": "github", "owner": owner, "repo": repository},
        "support": {"method": "unsupported"},
        "two_factor_authentication": False,
        "updated_at": EPOCH,
    }
