"""Repositories, smart HTTP, SSH and what a push brings."""

from homeport.git.program import run as run_git
from homeport.git.receive import Push, Receiver, Refused, Update
from homeport.git.repositories import Commit, Entry, Objects, Repositories, Submodule, environment
from homeport.git.smart_http import Caller, GitApplication
from homeport.git.ssh import Keyring, listen, serving
from homeport.git.ssh_keys import SshHost, host, host_key
from homeport.git.ssh_session import GitOverSsh
from homeport.git.turns import Turns

__all__ = [
    "Caller",
    "Commit",
    "Entry",
    "GitApplication",
    "GitOverSsh",
    "Keyring",
    "Objects",
    "Push",
    "Receiver",
    "Refused",
    "Repositories",
    "SshHost",
    "Submodule",
    "Turns",
    "Update",
    "environment",
    "host",
    "host_key",
    "listen",
    "run_git",
    "serving",
]
