"""Asking before something is destroyed."""

from __future__ import annotations

from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.errors import HomeportError


def confirm(call: Call, app: str, consequence: str) -> None:
    """Return if `--confirm` names the app or the person at the terminal types its name.

    Raises `UsageError` (`confirmation_mismatch`, `confirmation_required`).
    """
    given = call.option("confirm")
    if given is None:
        call.terminal.warn(consequence)
        if not call.terminal.is_interactive:
            raise UsageError(
                "This destroys data and there is no terminal to ask on.",
                fix=f"If you mean it: --confirm {app}",
                id="confirmation_required",
            )
        given = call.terminal.ask(f"To proceed, type {app} or re-run this command with --confirm {app}:")
    if given != app:
        raise HomeportError("confirmation_mismatch", f"Confirmation {given} did not match {app}. Aborted.")
