"""`homeport keys`: SSH keys of the account."""

from __future__ import annotations

from pathlib import Path

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.errors import HomeportError


def list_keys(call: Call) -> None:
    keys = call.api.all("/account/keys")
    if call.has("json"):
        call.terminal.json(keys)
        return
    if not keys:
        call.terminal.warn("You have no SSH keys.")
        return
    ink = call.terminal.ink
    call.terminal.out(layout.header(f"{ink.user(keys[0]['email'])} keys", ink))
    for key in keys:
        call.terminal.out(key["public_key"].strip() if call.has("long") else _short(key["public_key"]))


def _short(public_key: str) -> str:
    kind, material, *comment = public_key.split(None, 2)
    return f"{kind} {material[:10]}...{material[-10:]} {' '.join(comment)}".rstrip()


def add(call: Call) -> None:
    file = Path(call.argument).expanduser() if call.argument else _find(call)
    try:
        public_key = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise HomeportError("key_unreadable", f"{file} cannot be read as a public key: {error}.") from error
    if "PRIVATE KEY" in public_key:
        raise HomeportError(
            "private_key",
            f"{file} is a private key. It was not sent anywhere.",
            fix=f"Name the public one: {file}.pub",
        )
    with call.terminal.doing(f"Uploading {call.terminal.talk_ink.name(str(file))} SSH key"):
        call.api.post("/account/keys", {"public_key": public_key})


def _find(call: Call) -> Path:
    folder = Path(call.env.get("HOME") or "~").expanduser() / ".ssh"
    found = sorted(folder.glob("*.pub"))
    if not found:
        raise HomeportError(
            "key_missing", f"There is no public key in {folder}.", fix="Make one: ssh-keygen -t ed25519"
        )
    if len(found) > 1:
        listed = ", ".join(str(key) for key in found)
        raise HomeportError(
            "several_keys", f"There are several public keys: {listed}.", fix="Name one: homeport keys:add FILE"
        )
    call.terminal.say(f"Found an SSH public key at {found[0]}")
    if not call.has("yes") and not call.terminal.agrees("Would you like to upload it?"):
        raise HomeportError("key_missing", "No key to upload")
    return found[0]


def remove(call: Call) -> None:
    comment = call.arguments[0]
    with call.terminal.doing(f"Removing {call.terminal.talk_ink.name(comment)} SSH key"):
        keys = call.api.all("/account/keys")
        chosen = [key for key in keys if key.get("comment") == comment]
        if not chosen:
            there = ", ".join(str(key.get("comment")) for key in keys)
            known = f"Found keys: {there}." if keys else "No SSH keys on account."
            raise HomeportError("key_not_found", f"SSH Key {comment} not found.\n{known}")
        for key in chosen:
            call.api.delete(path("account", "keys", key["id"]))


def clear(call: Call) -> None:
    with call.terminal.doing("Removing all SSH keys"):
        for key in call.api.all("/account/keys"):
            call.api.delete(path("account", "keys", key["id"]))
