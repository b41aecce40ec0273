"""What the log says of dynos, in Heroku's words where Heroku has some.

https://devcenter.heroku.com/articles/error-codes, https://devcenter.heroku.com/articles/logging. People and scripts
search for these sentences.
"""

from __future__ import annotations

from datetime import timedelta

from homeport.dynos.actions import Why
from homeport.dynos.states import State
from homeport.state import Release


def starting(command: str) -> str:
    return f"Starting process with command `{command}`"


def changed(old: State, new: State) -> str:
    return f"State changed from {old.value} to {new.value}"


def exited(code: int | None) -> str:
    return f"Process exited with status {code}" if code is not None else "Process exited"


RESTARTING = "Restarting"
CYCLING = "Cycling"
IDLING = "Idling"
UNIDLING = "Unidling"
TERM = "Stopping all processes with SIGTERM"
KILL = "Stopping remaining processes with SIGKILL"
AWAITING = "Awaiting client"
HANG_UP = "Client connection closed. Sending SIGHUP to all processes"
ATTACH_ERROR = "Error R13 (Attach error) -> Failed to attach to process"


def boot_timeout(seconds: float) -> str:
    return f"Error R10 (Boot timeout) -> Web process failed to bind to $PORT within {seconds:.0f} seconds of launch"


def exit_timeout(seconds: float) -> str:
    return f"Error R12 (Exit timeout) -> At least one process failed to exit within {seconds:.0f} seconds of SIGTERM"


def unhealthy(detail: str, seconds: float) -> str:
    return f"Health check failed: no 2xx or 3xx within {seconds:.0f} seconds of launch, the last answer was: {detail}"


def crash(why: Why, exit_code: int | None, detail: str, boot: float) -> list[str]:
    """What is said before the change of state."""
    match why:
        case Why.UNBOUND:
            return [boot_timeout(boot), "Stopping process with SIGKILL"]
        case Why.UNHEALTHY:
            return [unhealthy(detail, boot), "Stopping process with SIGKILL"]
        case Why.UNSTARTABLE:
            return [f"The dyno could not be started: {detail}"]
        case Why.LOST:
            return ["The process is gone without a trace: the machine went down, or somebody removed it"]
        case _:
            return [exited(exit_code)]


def in_spite_of(detail: str) -> list[str]:
    """What is wrong with a dyno that counts as up all the same."""
    return [f"The web process {detail}"] if detail else []


def next_try(delay: timedelta) -> list[str]:
    """Nothing when it follows at once."""
    seconds = delay.total_seconds()
    return [f"Crashed several times in a row: trying again in {seconds:.0f} seconds"] if seconds else []


def on_trial(release: Release) -> list[str]:
    """For a dyno that has never served: others of its name do, and the log must not be read as if they had ended."""
    if release.status == "succeeded":
        return []
    return [f"That was v{release.version}, which is not in force: what served before goes on"]


def failure(name: str, why: Why, exit_code: int | None, detail: str, boot: float) -> str:
    """Why a new release's dyno did not come up, for who pushed it: a clause to be read after "because"."""
    match why:
        case Why.UNBOUND:
            return (
                f"{name} did not bind to $PORT within {boot:.0f} seconds (Error R10, boot timeout). "
                "It has to listen on 0.0.0.0 at the port that $PORT names, as gunicorn does by itself"
            )
        case Why.UNHEALTHY:
            return f"{name} did not pass its health check within {boot:.0f} seconds, the last answer was: {detail}"
        case Why.UNSTARTABLE:
            return f"{name} could not be started: {detail}"
        case Why.EXITED if exit_code is not None:
            return f"{name} exited with status {exit_code} while it was starting"
        case _:
            return f"{name} ended while it was starting"


def retire(why: Why, old: State) -> list[str]:
    """What is said when a dyno is told to go."""
    match why:
        case Why.SUPERSEDED | Why.HUNG_UP:
            return []  # its replacement has said that it is up; its session that its client has gone
        case Why.CYCLED:
            return [CYCLING, changed(old, State.DOWN)]
        case Why.INTERRUPTED:
            return ["Interrupted: Homeport was restarted while the release phase ran. The release has failed"]
        case _:
            return [changed(old, State.DOWN)]
