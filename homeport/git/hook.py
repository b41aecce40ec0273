"""git's pre-receive hook: hands the push to the daemon, relays what it says, exits as it decides.

Run as a plain file by `python -I -S`, so it imports little: it is on the way of every push.
"""

import json
import os
import socket
import sys

DECISION = b"\x00"  # what follows is the exit code; no line of text holds a NUL


def main() -> int:
    updates = [line.split() for line in sys.stdin.read().splitlines() if line]
    # git's own pointers to the quarantined objects; the daemon reads them before they are let in.
    names = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
    # Relative ones are relative to the repository, which is where a hook is started.
    quarantine = {}
    for name in names:
        if name in os.environ:
            paths = os.environ[name].split(":")
            quarantine[name] = ":".join(os.path.abspath(path) for path in paths)  # noqa: PTH100 - no pathlib on this way
    message = {"push": os.environ["HOMEPORT_PUSH"], "updates": updates, "quarantine": quarantine}
    connection = socket.socket(socket.AF_UNIX)
    directory, name = os.path.split(os.environ["HOMEPORT_RECEIVE_SOCKET"])
    os.chdir(directory)  # the name alone: a socket's path may have 107 bytes only
    connection.connect(name)
    connection.sendall(json.dumps(message).encode() + b"\n")
    rest = b""
    while chunk := connection.recv(65536):
        text, decided, code = (rest + chunk).partition(DECISION)
        rest = decided + code
        if text:
            os.write(1, text)
    if rest.startswith(DECISION):
        return int(rest[1:])
    os.write(
        1, b" !     Homeport stopped while it was working on this push. Nothing was released.\n !     Push again.\n"
    )
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        os.write(1, f" !     Homeport does not answer ({error.strerror}). Is it running? `homeport status`\n".encode())
        sys.exit(1)
