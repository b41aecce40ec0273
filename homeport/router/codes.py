"""The H codes: what can become of a request other than an answer from the app, with Heroku's meanings.

The numbers, descriptions and statuses are those of the Dev Center's "Heroku Error Codes"; the words of the pages
are ours.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One H code.

    `description` is what the log line says, `status` what the line shows as the status. `id`, `title`, `meaning`
    and `hints` are for people: what the page and the JSON answer say. A hint is (why, command); `{app}` in it is
    the app's name.
    """

    number: str
    description: str
    status: int = 503
    level: str = "error"
    id: str = ""
    title: str = ""
    meaning: str = ""
    hints: tuple[tuple[str, str], ...] = ()


_LOGS = ("What the app said last:", "heroku logs --tail -a {app}")
_PS = ("What runs just now:", "heroku ps -a {app}")

CODES: dict[str, Code] = {
    code.number: code
    for code in (
        Code(
            "H10",
            "App crashed",
            id="app_crashed",
            title="This app has crashed",
            meaning="Its web process ended soon after it was started. It will be started again after a pause that "
            "grows with every crash. The reason is in the app's logs.",
            hints=(
                _LOGS,
                ("Start it again now:", "heroku restart -a {app}"),
                ("Go back to the release before:", "heroku rollback -a {app}"),
            ),
        ),
        Code(
            "H12",
            "Request timeout",
            id="request_timeout",
            title="This app took too long to answer",
            meaning="It did not begin to answer within 30 seconds. It may still be busy with the request. Work that "
            "takes longer belongs into a worker process.",
            hints=(_LOGS, _PS),
        ),
        Code(
            "H13",
            "Connection closed without response",
            id="no_response",
            title="This app broke off without an answer that can be passed on",
            meaning="Its web process closed the connection before it had answered (H13), or what it sent is not "
            "HTTP (H17). Often the process was killed, or a server worker ran into its own timeout.",
            hints=(_LOGS, _PS),
        ),
        Code(
            "H14",
            "No web processes running",
            id="no_web_processes",
            title="No web process runs for this app",
            meaning="Either nothing has been deployed to it yet, or its web process is scaled to zero, or its "
            "Procfile names no web process.",
            hints=(
                ("Deploy it:", "git push heroku main"),
                ("Start a web process:", "heroku ps:scale web=1 -a {app}"),
                _PS,
            ),
        ),
        Code("H15", "Idle connection"),
        Code("H17", "Poorly formatted HTTP response"),
        Code("H18", "Server Request Interrupted"),
        Code("H19", "Backend connection timeout"),
        Code(
            "H20",
            "App boot timeout",
            id="boot_timeout",
            title="This app is still starting",
            meaning="Its web process has been started but does not take requests yet. This page has waited for it, "
            "in vain so far; it will try again by itself.",
            hints=(_LOGS, ("Look whether it binds to $PORT:", "heroku ps -a {app}")),
        ),
        Code(
            "H21",
            "Backend connection refused",
            id="connection_refused",
            title="This app does not take connections",
            meaning="Its web process was up but has now refused the connection (H21) or did not accept it in time "
            "(H19). It may just have ended, or be overloaded.",
            hints=(_LOGS, ("Start it again:", "heroku restart -a {app}")),
        ),
        Code("H27", "Client Request Interrupted", status=499),
        Code("H28", "Client Connection Idle", status=499),
        Code(
            "H80",
            "Maintenance mode",
            level="info",
            id="maintenance",
            title="Closed for maintenance",
            meaning="The people who run this app have switched it off for a while. Please come back a little later.",
            hints=(("Yours? Open it again:", "heroku maintenance:off -a {app}"),),
        ),
        Code("H99", "Platform error"),
    )
}

NOTHING_HERE = Code(
    "",
    "",
    status=404,
    id="no_such_app",
    title="There's nothing here, yet.",
    meaning="No app answers to this host name.",
    hints=(
        ("See your apps:", "heroku apps"),
        ("Make one:", "heroku create"),
        ("Lead a host name of yours to an app:", "heroku domains:add HOSTNAME -a APP"),
    ),
)

_TERMINATIONS = {
    # HAProxy's first letter: who ended it (upper case: aborted, lower case: timed out; C client, S server, P proxy).
    # Second letter: when (Q queue, C connect, H waiting for response headers, D data).
    "sQ": "H19", "sC": "H19", "SC": "H21", "SQ": "H21",
    "sH": "H12", "SH": "H13", "PH": "H17",
    "sD": "H15", "SD": "H18", "PD": "H17",
    "CR": "H27", "CQ": "H27", "CC": "H27", "CH": "H27", "CD": "H27", "CL": "H27",
    "cR": "H28", "cQ": "H28", "cC": "H28", "cH": "H28", "cD": "H28", "cL": "H28",
}  # fmt: skip


def of_termination(termination: str, *, status: int, has_server: bool) -> Code | None:
    """The code of a request that was led to a dyno, by HAProxy's two-letter termination state; None if all was well.

    A websocket (status 101) has no agreed end: either side hanging up is its normal end.
    """
    if termination[:2] in ("--", "LR", "LH"):
        return None
    if status == 101 and termination[:2] in ("CD", "SD"):
        return None
    if termination[1:2] == "C" and not has_server:
        return CODES["H99"]
    return CODES[_TERMINATIONS.get(termination[:2], "H99")]
