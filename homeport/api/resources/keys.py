"""SSH keys of a person: `keys`, `keys:add`, `keys:remove`, `keys:clear`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import accounts
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape, moment, stamp
from homeport.errors import NotFound
from homeport.state import Key

KEYS: Keys[Key] = {"created_at": lambda key: moment(key.created_at, key.id), "id": lambda key: key.id}


def shape(key: Key) -> Shape:
    return {
        "comment": key.comment,
        "created_at": stamp(key.created_at),
        "email": key.user.email,
        "fingerprint": key.fingerprint,
        "id": key.id,
        "public_key": key.public_key,
        "updated_at": stamp(key.updated_at),
    }


def index(call: Call, session: Session) -> Reply:
    return call.listing(accounts.keys(session, call.actor.user), shape, KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(accounts.find_key(session, call.actor.user, call.params["key"])))


def create(call: Call, session: Session) -> Reply:
    return created(shape(accounts.add_key(session, call.actor.user, call.body.text("public_key"))))


def destroy(call: Call, session: Session) -> Reply:
    key = accounts.find_key(session, call.actor.user, call.params["key"])
    last = shape(key)
    accounts.remove_key(session, key)
    return Reply(last)


def ssh_host(call: Call, _session: Session) -> Reply:
    """Where git is spoken over SSH and by which key that is known, told over a connection that is trusted already."""
    host = call.core.ssh
    if host is None:
        raise NotFound("ssh_host", "Git over SSH is off here.", fix="Start the platform with --ssh-port.")
    return Reply(
        {
            "host": host.name,
            "port": host.port,
            "fingerprint": host.fingerprint,
            "known_hosts": host.known_hosts,
            "url": host.url("APP"),
        }
    )
