"""Repositories, smart HTTP and what a push brings."""

from homeport.git.receive import Push, Receiver, Update
from homeport.git.repositories import Objects, Repositories
from homeport.git.smart_http import GitApplication

__all__ = ["GitApplication", "Objects", "Push", "Receiver", "Repositories", "Update"]
