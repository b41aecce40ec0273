"""Small apps without dependencies: what they do is what a test is about, and they build at once."""

from __future__ import annotations

SERVER = """\
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "{version}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = (VERSION + " " + os.environ.get("GREETING", "hello") + " " + self.path + "\\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        print(format % args, flush=True)


print("starting", VERSION, flush=True)
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""


def hello(version: str = "v1", files: dict[str, str] | None = None) -> dict[str, str]:
    """A web app that answers with its version, $GREETING and the path; `files` are added or replaced."""
    return {
        "server.py": SERVER.format(version=version),
        "requirements.txt": "",
        "Procfile": "web: python server.py\nworker: python -c 'import time; time.sleep(100000)'\n",
        **(files or {}),
    }
