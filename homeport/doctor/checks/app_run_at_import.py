"""`app.run()` stands where every import meets it.

A server such as gunicorn imports the file to get at the app. An `app.run()` that is not under
`if __name__ == "__main__":` then starts a second server in the middle of it, on a port that nobody looks at, and the
import never ends.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from homeport.doctor.commands import SERVERS
from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    command = project.web
    if command is None or command.program not in SERVERS:
        return
    for source in project.running:
        for call in source.calls("run"):
            plain = ast.unparse(call.func) in (
                "app.run",
                "application.run",
                "server.run",
                "socketio.run",
                "uvicorn.run",
            )
            if plain and source.function_of(call) is None and not source.conditional(call):
                yield error(
                    source.path,
                    call.lineno,
                    f"{ast.unparse(call.func)}() runs whenever {source.path} is imported.",
                    why=f"{command.program} imports it, and would wait there for ever.",
                    fix='Let it run only when the file itself is started:\n\n  if __name__ == "__main__":\n'
                    f"      {ast.unparse(call)}",
                )
