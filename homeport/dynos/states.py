"""The states of a dyno and the only ways between them.

https://devcenter.heroku.com/articles/dyno-startup-behavior names them.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """What a row in `dynos` says about its dyno."""

    STARTING = "starting"  # decided, or launched and not yet ready for work
    UP = "up"  # a web dyno accepts requests, any other runs
    CRASHED = "crashed"  # ended without being told to; waits for its next try
    IDLE = "idle"  # put to sleep: nothing of it runs, and another one takes its place when the app wakes
    DOWN = "down"  # told to go; its row disappears once its process has
    COMPLETE = "complete"  # a one-off that has ended


class IllegalTransition(AssertionError):
    """A bug in this room: nothing outside can cause it."""


_WAYS: dict[State, frozenset[State]] = {
    State.STARTING: frozenset({State.UP, State.CRASHED, State.DOWN, State.COMPLETE}),
    State.UP: frozenset({State.CRASHED, State.IDLE, State.DOWN, State.COMPLETE}),
    State.CRASHED: frozenset({State.STARTING, State.DOWN}),
    State.IDLE: frozenset({State.DOWN}),
    State.DOWN: frozenset(),
    State.COMPLETE: frozenset(),
}


def change(old: State, new: State) -> State:
    """The new state, if there is a way to it. Raises `IllegalTransition` otherwise."""
    if new not in _WAYS[old]:
        raise IllegalTransition(f"a dyno cannot go from {old.value} to {new.value}")
    return new
