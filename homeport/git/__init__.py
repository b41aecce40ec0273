"""Repositories, smart HTTP and what a push brings."""

from homeport.git.receive import Push, Receiver, Refused, Update
from homeport.git.repositories import Commit, Entry, Objects, Repositories, Submodule, environment
from homeport.git.smart_http import Caller, GitApplication

__all__ = [
    "Caller",
    "Commit",
    "Entry",
    "GitApplication",
    "Objects",
    "Push",
    "Receiver",
    "Refused",
    "Repositories",
    "Submodule",
    "Update",
    "environment",
]
